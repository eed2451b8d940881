/// An app's side of Gemreel for Flutter. Copy it; it needs supabase_flutter 2 and nothing else.
/// Says the same as gemreel.ts beside it, which is tested against the whole stack.
library;

import 'dart:async';

import 'package:supabase_flutter/supabase_flutter.dart';

/// What screens show of a video: a row of `videos`, a broadcast, or an item of `videos_since`.
class Video {
  const Video({
    required this.id,
    required this.title,
    required this.status,
    required this.stage,
    required this.progress,
    required this.errorMessage,
    required this.rev,
  });

  factory Video.fromJson(Map<String, dynamic> json) => Video(
        id: json['id'] as String,
        title: json['title'] as String,
        status: json['status'] as String,
        stage: json['stage'] as String,
        progress: json['progress'] as int,
        errorMessage: json['error_message'] as String?,
        rev: json['rev'] as int,
      );

  final String id;
  final String title;

  /// queued, processing, rendering, completed, failed, cancelled.
  final String status;
  final String stage;

  /// 0 to 100.
  final int progress;

  /// A sentence for people, where it failed.
  final String? errorMessage;

  /// Grows with every change; of two states of one video the greater rev is the newer.
  final int rev;

  bool get isOver => const {'completed', 'failed', 'cancelled'}.contains(status);
}

/// The newest progress entry of a video.
class Progress {
  const Progress({required this.percentage, required this.message, required this.etaSeconds});

  factory Progress.fromJson(Map<String, dynamic> json) => Progress(
        percentage: json['percentage'] as int,
        message: json['message'] as String,
        etaSeconds: json['eta_seconds'] as int?,
      );

  final int percentage;
  final String message;
  final int? etaSeconds;
}

/// Links to a finished video. They live an hour: ask again rather than keep them.
class Links {
  const Links({required this.video, required this.thumbnail});

  final Uri? video;
  final Uri? thumbnail;
}

/// A refusal: a sentence to show, a code to act on.
class GemreelException implements Exception {
  const GemreelException(this.status, this.code, this.message);

  factory GemreelException.from(FunctionException error) {
    final details = error.details;
    final said = details is Map ? details : const <String, dynamic>{};
    return GemreelException(
      error.status,
      said['code'] as String? ?? 'unknown',
      said['error'] as String? ?? 'Please try again',
    );
  }

  final int status;
  final String code;
  final String message;

  @override
  String toString() => message;
}

/// Where the app keeps what it knows between two runs: a table, a file, shared preferences.
abstract class VideoShelf {
  Future<String?> readRev();

  /// Takes a video unless what is there has the same rev or a greater one.
  Future<void> keep(Video video);
  Future<void> remove(String videoId);
  Future<void> clear();

  /// Written last, so that a sync that was cut off is done again.
  Future<void> writeRev(String rev);
}

class Gemreel {
  const Gemreel(this._client);

  final SupabaseClient _client;

  /// The Start button. [tap] is a new UUID for each tap: a retry with the same one never charges twice.
  Future<String> start({
    required String childId,
    required String rhymeId,
    required String tap,
  }) async {
    final answer = await _call(
      'queue-video',
      headers: {'idempotency-key': tap},
      body: {'child_id': childId, 'rhyme_id': rhymeId},
    );
    return answer['video_id'] as String;
  }

  /// The Cancel button. Answers how many gems came back.
  Future<int> cancel(String videoId) async {
    final answer = await _call('cancel-video', body: {'video_id': videoId});
    return answer['gems_refunded'] as int;
  }

  /// The Watch button, and a tapped notification.
  Future<Links> links(String videoId) async {
    final answer = await _call('video-status', query: {'video_id': videoId});
    final video = (answer['videos'] as List).first as Map<String, dynamic>;
    Uri? link(String field) => video[field] == null ? null : Uri.parse(video[field] as String);
    return Links(video: link('video_url'), thumbnail: link('thumbnail_url'));
  }

  /// The gallery while the app is open: the user's newest videos, again at each change.
  Stream<List<Video>> videos({int limit = 50}) => _client
      .from('videos')
      .stream(primaryKey: ['id'])
      .eq('user_id', _client.auth.currentUser!.id)
      .order('created_at')
      .limit(limit)
      .map((rows) => rows.map(Video.fromJson).toList());

  /// The progress screen: the newest entry. "Continue in background" just stops listening.
  Stream<Progress> progress(String videoId) => _client
      .from('video_progress')
      .stream(primaryKey: ['id'])
      .eq('video_id', videoId)
      .order('id')
      .limit(1)
      .where((rows) => rows.isNotEmpty)
      .map((rows) => Progress.fromJson(rows.first));

  /// Background sync: everything that changed since the last one, finished and deleted videos too.
  Future<void> sync(VideoShelf shelf) async {
    final rev = await shelf.readRev();
    final news = await _client.rpc<Map<String, dynamic>>(
      'videos_since',
      params: {if (rev != null) 'p_rev': rev},
    );
    if (news['reset'] as bool) await shelf.clear();
    for (final row in news['videos'] as List) {
      await shelf.keep(Video.fromJson(row as Map<String, dynamic>));
    }
    for (final id in news['deleted'] as List) {
      await shelf.remove(id as String);
    }
    await shelf.writeRev(news['rev'] as String);
  }

  Future<Map<String, dynamic>> _call(
    String name, {
    Map<String, String>? headers,
    Map<String, dynamic>? body,
    Map<String, dynamic>? query,
  }) async {
    try {
      final answer = await _client.functions.invoke(
        name,
        headers: headers,
        body: body,
        queryParameters: query,
        method: body == null ? HttpMethod.get : HttpMethod.post,
      );
      return answer.data as Map<String, dynamic>;
    } on FunctionException catch (error) {
      throw GemreelException.from(error);
    }
  }
}
