/// An app's side of Gemreel for Flutter. Copy it with database.dart; it only needs supabase_flutter 2
/// (Dart 3.3). It does the same as gemreel.ts beside it, which is tested against the whole stack.
library;

import 'dart:async';

import 'package:supabase_flutter/supabase_flutter.dart';

import 'database.dart';

/// What screens show of a video: a row of `videos`, a broadcast, or an item of `videos_since`. Its [rev]
/// grows with every change; of two states of one video the greater rev is the newer.
typedef Video = VideosRow;

/// An entry of a video's progress.
typedef Progress = VideoProgressRow;

extension IsOver on Video {
  bool get isOver => const {
        VideosStatus.completed,
        VideosStatus.failed,
        VideosStatus.cancelled,
      }.contains(status);
}

/// Links to a finished video. They live an hour: ask again rather than keep them.
class Links {
  const Links({required this.video, required this.thumbnail});

  final Uri? video;
  final Uri? thumbnail;
}

/// A refusal: a sentence to show, a code to act on. After `unavailable` try again, but some seconds later.
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

/// Where the app keeps what it knows between two runs: a table, a file, shared preferences. Only [Gemreel.sync]
/// writes to it.
abstract class VideoShelf {
  Future<String?> readRev();

  /// Takes a video unless what is there has the same rev or a greater one.
  Future<void> keep(Video video);
  Future<void> remove(String videoId);
  Future<void> clear();

  /// Written last, so that a sync that was cut off is done again.
  Future<void> writeRev(String rev);
}

/// The newest videos as a screen shows them. tests/support/flutter.ts does the same and is tested.
class Newest {
  Newest(this.limit);

  final int limit;
  final _videos = <String, Video>{};
  final _deleted = <String>{};
  Set<String> _streamed = {};

  /// Newest first.
  List<Video> get videos {
    final all = _videos.values.toList()
      ..sort((a, b) {
        final order = b.createdAt.compareTo(a.createdAt);
        return order == 0 ? b.id.compareTo(a.id) : order;
      });
    return all.take(limit).toList();
  }

  /// Takes in a list of `.stream()`. What is no longer in it leaves the screen; if a late, slow select
  /// brings it back, the next look corrects that.
  void streamed(List<Video> rows) {
    final ids = {for (final row in rows) row.id};
    _streamed.difference(ids).forEach(_videos.remove);
    _streamed = ids;
    rows.forEach(_keep);
  }

  /// Call it before a select; the function it returns takes the rows in. What was known before and is
  /// not among them was deleted, unless it is beyond their end.
  void Function(List<Video> rows) look() {
    final before = _videos.keys.toSet();
    return (rows) {
      rows.forEach(_keep);
      for (final id in before.difference({for (final row in rows) row.id})) {
        final video = _videos[id];
        final isBeyond = rows.length == limit &&
            video != null &&
            !video.createdAt.isAfter(rows.last.createdAt);
        if (isBeyond) continue;
        _videos.remove(id);
        _deleted.add(id);
      }
    };
  }

  /// Takes no older state in, and what was deleted stays deleted.
  void _keep(Video video) {
    final shown = _videos[video.id];
    if (_deleted.contains(video.id) || (shown != null && shown.rev >= video.rev)) return;
    _videos[video.id] = video;
  }
}

typedef _Rows = List<Map<String, dynamic>>;

class Gemreel {
  Gemreel(this._client);

  final SupabaseClient _client;
  Future<void> _lastSync = Future.value();

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

  /// The Cancel button. Returns how many gems came back.
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

  /// The gallery while the app is open: the user's newest videos, again at each change. For one listener.
  Stream<List<Video>> videos({int limit = 50}) {
    final userId = _client.auth.currentUser!.id;
    final newest = Newest(limit);
    List<Video> shown(_Rows rows, void Function(List<Video>) take) {
      take([for (final row in rows) Video(row)]);
      return newest.videos;
    }

    return _watched(
      changes: _client
          .from('videos')
          .stream(primaryKey: ['id'])
          .eq('user_id', userId)
          .order('created_at', ascending: false)
          .limit(limit),
      select: () => _client
          .from('videos')
          .select()
          .eq('user_id', userId)
          .order('created_at', ascending: false)
          .limit(limit),
      streamed: (rows) => shown(rows, newest.streamed),
      look: () {
        final take = newest.look();
        return (rows) => shown(rows, take);
      },
    );
  }

  /// The progress screen: the newest entry. "Continue in background" just stops listening. For one listener.
  Stream<Progress> progress(String videoId) {
    Progress? newest;
    Progress? newer(_Rows rows) {
      if (rows.isEmpty || Progress(rows.first).id <= (newest?.id ?? 0)) return null;
      return newest = Progress(rows.first);
    }

    return _watched(
      changes: _client
          .from('video_progress')
          .stream(primaryKey: ['id'])
          .eq('video_id', videoId)
          .order('id', ascending: false)
          .limit(1),
      select: () => _client
          .from('video_progress')
          .select()
          .eq('video_id', videoId)
          .order('id', ascending: false)
          .limit(1),
      streamed: newer,
      look: () => newer,
    );
  }

  /// Background sync: everything that changed since the last one, finished and deleted videos too. Runs
  /// one at a time, however often it is called.
  Future<void> sync(VideoShelf shelf) =>
      _lastSync = _lastSync.catchError((Object _) {}).then((_) => _syncNow(shelf));

  Future<void> _syncNow(VideoShelf shelf) async {
    final rev = await shelf.readRev();
    final news = await _client.rpc<Map<String, dynamic>>(
      'videos_since',
      params: {if (rev != null) 'p_rev': rev},
    ).timeout(const Duration(seconds: 30));
    if (news['reset'] as bool) await shelf.clear();
    for (final row in news['videos'] as List) {
      await shelf.keep(Video(row as Map<String, dynamic>));
    }
    for (final id in news['deleted'] as List) {
      await shelf.remove(id as String);
    }
    await shelf.writeRev(news['rev'] as String);
  }

  /// `.stream()` subscribes and selects at the same time, shows whatever comes last, and selects again only
  /// after a lost connection. So changes before the subscription works (on hosted Supabase it takes seconds)
  /// are not shown, and a slow select can overwrite newer data. Here the rows are read again: soon, when the
  /// subscription surely works, and rarely after that, since Realtime promises no delivery.
  Stream<T> _watched<T>({
    required Stream<_Rows> changes,
    required Future<_Rows> Function() select,
    required T? Function(_Rows rows) streamed,
    required T? Function(_Rows rows) Function() look,
  }) {
    late final StreamController<T> screen;
    StreamSubscription<_Rows>? listening;
    Timer? timer;
    var pause = const Duration(seconds: 5);
    const longest = Duration(minutes: 5);

    void show(T? state) {
      if (state != null && screen.hasListener) screen.add(state);
    }

    Future<void> lookAgain() async {
      try {
        final take = look();
        show(take(await select().timeout(const Duration(seconds: 30))));
      } catch (_) {
        // No network: the next look will do.
      }
      if (!screen.hasListener) return;
      pause = pause * 4 > longest ? longest : pause * 4;
      timer = Timer(pause, lookAgain);
    }

    screen = StreamController<T>(
      onListen: () {
        listening = changes.listen(
          (rows) => show(streamed(rows)),
          onError: screen.addError,
          onDone: screen.close,
        );
        timer = Timer(pause, lookAgain);
      },
      onCancel: () {
        timer?.cancel();
        return listening?.cancel();
      },
    );
    return screen.stream;
  }

  Future<Map<String, dynamic>> _call(
    String name, {
    Map<String, String>? headers,
    Map<String, dynamic>? body,
    Map<String, dynamic>? query,
  }) async {
    try {
      // A connection may be gone without a word.
      final answer = await _client.functions
          .invoke(
            name,
            headers: headers,
            body: body,
            queryParameters: query,
            method: body == null ? HttpMethod.get : HttpMethod.post,
          )
          .timeout(const Duration(seconds: 40));
      return answer.data as Map<String, dynamic>;
    } on FunctionException catch (error) {
      throw GemreelException.from(error);
    }
  }
}
