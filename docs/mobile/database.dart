// Made from the database by `deno task verify --write-types`; not edited by hand.

/// The tables of Gemreel that apps read. A row reads itself when it is asked, so that the same type is for
/// whole rows, for selected columns, and for the states that broadcasts and videos_since bring.
library;

/// The words of `devices.kind`.
enum DevicesKind {
  fcm('fcm'),
  webPush('web_push');

  const DevicesKind(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory DevicesKind.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `devices.platform`.
enum DevicesPlatform {
  android('android'),
  ios('ios'),
  web('web');

  const DevicesPlatform(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory DevicesPlatform.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `gem_entries.kind`.
enum GemEntriesKind {
  grant('grant'),
  purchase('purchase'),
  charge('charge'),
  refund('refund'),
  adjustment('adjustment');

  const GemEntriesKind(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory GemEntriesKind.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `notifications.kind`.
enum NotificationsKind {
  videoReady('video_ready'),
  videoFailed('video_failed');

  const NotificationsKind(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory NotificationsKind.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `users.tier`.
enum UsersTier {
  free('free'),
  premium('premium');

  const UsersTier(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory UsersTier.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `videos.kind`.
enum VideosKind {
  rhyme('rhyme'),
  prompt('prompt'),
  image('image'),
  clip('clip');

  const VideosKind(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory VideosKind.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `videos.stage`.
enum VideosStage {
  initializing('initializing'),
  analyzing('analyzing'),
  generating('generating'),
  rendering('rendering'),
  finalizing('finalizing'),
  completed('completed');

  const VideosStage(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory VideosStage.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// The words of `videos.status`.
enum VideosStatus {
  queued('queued'),
  processing('processing'),
  rendering('rendering'),
  completed('completed'),
  failed('failed'),
  cancelled('cancelled');

  const VideosStatus(this.word);

  /// Throws where the database has a word that is newer than the app.
  factory VideosStatus.of(String word) => values.firstWhere((value) => value.word == word);

  /// As the database has it.
  final String word;
}

/// A row of `children`.
extension type const ChildrenRow(Map<String, dynamic> json) {
  String? get avatarPath => json['avatar_path'] as String?;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  String get id => json['id'] as String;
  String get name => json['name'] as String;
  String get userId => json['user_id'] as String;
}

/// A row of `consent_texts`.
extension type const ConsentTextsRow(Map<String, dynamic> json) {
  String get body => json['body'] as String;
  String get id => json['id'] as String;
  bool get isCurrent => json['is_current'] as bool;
  DateTime get publishedAt => DateTime.parse(json['published_at'] as String);
}

/// A row of `consents`.
extension type const ConsentsRow(Map<String, dynamic> json) {
  String get childId => json['child_id'] as String;
  DateTime get givenAt => DateTime.parse(json['given_at'] as String);
  String get id => json['id'] as String;
  String get textId => json['text_id'] as String;
  String get textSha256 => json['text_sha256'] as String;
  String get userId => json['user_id'] as String;
  DateTime? get withdrawnAt => json['withdrawn_at'] == null ? null : DateTime.parse(json['withdrawn_at'] as String);
}

/// A row of `deleted_videos`.
extension type const DeletedVideosRow(Map<String, dynamic> json) {
  String get deletedIn => json['deleted_in'] as String;
  String get userId => json['user_id'] as String;
  String get videoId => json['video_id'] as String;
}

/// A row of `devices`.
extension type const DevicesRow(Map<String, dynamic> json) {
  String get address => json['address'] as String;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  String get id => json['id'] as String;
  DevicesKind get kind => DevicesKind.of(json['kind'] as String);
  DateTime get lastSeenAt => DateTime.parse(json['last_seen_at'] as String);
  DevicesPlatform get platform => DevicesPlatform.of(json['platform'] as String);
  String get userId => json['user_id'] as String;
}

/// A row of `gem_entries`.
extension type const GemEntriesRow(Map<String, dynamic> json) {
  int get amount => json['amount'] as int;
  int get balanceAfter => json['balance_after'] as int;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  int get id => json['id'] as int;
  String? get idempotencyKey => json['idempotency_key'] as String?;
  GemEntriesKind get kind => GemEntriesKind.of(json['kind'] as String);
  String get reason => json['reason'] as String;
  String? get userId => json['user_id'] as String?;
  String? get videoId => json['video_id'] as String?;
}

/// A row of `notifications`.
extension type const NotificationsRow(Map<String, dynamic> json) {
  String get body => json['body'] as String;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  Object get data => json['data'] as Object;
  int get id => json['id'] as int;
  NotificationsKind get kind => NotificationsKind.of(json['kind'] as String);
  String get title => json['title'] as String;
  String get userId => json['user_id'] as String;
  String get videoId => json['video_id'] as String;
}

/// A row of `projects`.
extension type const ProjectsRow(Map<String, dynamic> json) {
  Object get clips => json['clips'] as Object;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  Object get frames => json['frames'] as Object;
  String get id => json['id'] as String;
  String get title => json['title'] as String;
  DateTime get updatedAt => DateTime.parse(json['updated_at'] as String);
  String get userId => json['user_id'] as String;
}

/// A row of `rhymes`.
extension type const RhymesRow(Map<String, dynamic> json) {
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  num get durationSeconds => json['duration_seconds'] as num;
  Object get fallbacks => json['fallbacks'] as Object;
  int get gemCost => json['gem_cost'] as int;
  int get height => json['height'] as int;
  String get id => json['id'] as String;
  bool get isActive => json['is_active'] as bool;
  bool get isPremium => json['is_premium'] as bool;
  String get model => json['model'] as String;
  String? get negativePrompt => json['negative_prompt'] as String?;
  String get promptTemplate => json['prompt_template'] as String;
  String get provider => json['provider'] as String;
  String get slug => json['slug'] as String;
  String? get style => json['style'] as String?;
  String get title => json['title'] as String;
  String? get videoTemplateUrl => json['video_template_url'] as String?;
  int get width => json['width'] as int;
}

/// A row of `users`.
extension type const UsersRow(Map<String, dynamic> json) {
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  String? get fairProvider => json['fair_provider'] as String?;
  int get fairTag => json['fair_tag'] as int;
  int get gemBalance => json['gem_balance'] as int;
  String get id => json['id'] as String;
  UsersTier get tier => UsersTier.of(json['tier'] as String);
}

/// A row of `video_progress`.
extension type const VideoProgressRow(Map<String, dynamic> json) {
  int get attempt => json['attempt'] as int;
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  int? get etaSeconds => json['eta_seconds'] as int?;
  int get id => json['id'] as int;
  String get message => json['message'] as String;
  int get percentage => json['percentage'] as int;
  String get stage => json['stage'] as String;
  String get userId => json['user_id'] as String;
  String get videoId => json['video_id'] as String;
}

/// A row of `videos`.
extension type const VideosRow(Map<String, dynamic> json) {
  String? get avatarPath => json['avatar_path'] as String?;
  String get changedIn => json['changed_in'] as String;
  String? get childId => json['child_id'] as String?;
  DateTime? get completedAt => json['completed_at'] == null ? null : DateTime.parse(json['completed_at'] as String);
  DateTime get createdAt => DateTime.parse(json['created_at'] as String);
  num? get durationSeconds => json['duration_seconds'] as num?;
  String? get errorCode => json['error_code'] as String?;
  String? get errorMessage => json['error_message'] as String?;
  DateTime get estimatedCompletionAt => DateTime.parse(json['estimated_completion_at'] as String);
  Object get fallbacks => json['fallbacks'] as Object;
  String get folder => json['folder'] as String;
  int get gemCost => json['gem_cost'] as int;
  String get id => json['id'] as String;
  String? get idempotencyKey => json['idempotency_key'] as String?;
  String get inputHash => json['input_hash'] as String;
  bool get isFavorite => json['is_favorite'] as bool;
  bool get isPremium => json['is_premium'] as bool;
  VideosKind get kind => VideosKind.of(json['kind'] as String);
  int get maxRetries => json['max_retries'] as int;
  String get model => json['model'] as String;
  String? get modelReason => json['model_reason'] as String?;
  String? get negativePrompt => json['negative_prompt'] as String?;
  Object get options => json['options'] as Object;
  int get progress => json['progress'] as int;
  String? get projectId => json['project_id'] as String?;
  String? get prompt => json['prompt'] as String?;
  String get provider => json['provider'] as String;
  int get retryCount => json['retry_count'] as int;
  int get rev => json['rev'] as int;
  String? get rhymeId => json['rhyme_id'] as String?;
  String? get scene => json['scene'] as String?;
  VideosStage get stage => VideosStage.of(json['stage'] as String);
  DateTime? get startedAt => json['started_at'] == null ? null : DateTime.parse(json['started_at'] as String);
  VideosStatus get status => VideosStatus.of(json['status'] as String);
  String? get storagePath => json['storage_path'] as String?;
  String? get thumbnailPath => json['thumbnail_path'] as String?;
  String get title => json['title'] as String;
  bool get underWay => json['under_way'] as bool;
  DateTime get updatedAt => DateTime.parse(json['updated_at'] as String);
  String get userId => json['user_id'] as String;
}
