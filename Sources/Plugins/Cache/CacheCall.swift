import HTTP
import Kernel
import PluginKit

/// A request that went on to the upstream, and what becomes of its answer.
final class CacheCall {
  let key: CallKey
  /// Monotonic nanoseconds when it went on.
  let began: Int
  /// Whether the request says who calls, and the key does not keep callers apart.
  let isAuthorized: Bool
  let directives: CacheDirectives
  /// Whether its answer may be kept.
  let mayStore: Bool
  /// An answer that the upstream may confirm, or that stands in for it.
  let stale: CachedAnswer?
  /// Whether the client has `stale` already: seen before our condition took the place of its own.
  let isHeld: Bool
  /// Whether the client names content codings that it takes.
  let namesCodings: Bool
  /// Others wait for it.
  var flight: Flight?
  /// For Cache-Status (RFC 9211).
  let forwarded: StaticString
  var isStored = false
  /// Whether a fallback upstream was asked, whose answer says nothing of what is stored and is not kept.
  var fellBack = false

  init(
    _ key: CallKey, began: Int, isAuthorized: Bool, _ directives: CacheDirectives, mayStore: Bool,
    stale: CachedAnswer?, isHeld: Bool = false, namesCodings: Bool = false,
    flight: Flight?, forwarded: StaticString
  ) {
    self.key = key
    self.began = began
    self.isAuthorized = isAuthorized
    self.directives = directives
    self.mayStore = mayStore
    self.stale = stale
    self.isHeld = isHeld
    self.namesCodings = namesCodings
    self.flight = flight
    self.forwarded = forwarded
  }
}

/// Gathers an answer that is to be kept, as long as it is not too long.
final class AnswerRecorder: BodyRecorder {
  private let limit: Int
  private let keep: (consuming ByteBuffer) -> Void
  private var content: ByteBuffer
  private var isOver = false

  /// - Parameters:
  ///   - expected: the length of the body where it is known.
  ///   - keep: called with the whole body, once or not at all.
  init(limit: Int, expected: Int?, keep: @escaping (consuming ByteBuffer) -> Void) {
    self.limit = limit
    self.keep = keep
    content = ByteBuffer(capacity: max(16, expected ?? 4096))
  }

  override func append(_ bytes: Span<UInt8>) {
    if isOver { return }
    if content.count + bytes.count > limit {
      isOver = true
      content = ByteBuffer(capacity: 16)
      return
    }
    content.append(bytes)
  }

  override func finish() {
    if isOver { return }
    isOver = true
    var taken = ByteBuffer(capacity: 16)
    swap(&taken, &content)
    if taken.capacity > taken.count + taken.count / 8 + 64 {
      // Memory that grew with the body is given back: a stored body costs what it holds.
      var exact = ByteBuffer(capacity: max(16, taken.count))
      exact.append(taken.span)
      taken = exact
    }
    keep(taken)
  }
}

/// Gets the answer to a fetch in the background.
final class BackgroundAnswer: AnswerReceiver {
  private let use: (ClientResponse?) -> Void

  init(_ use: @escaping (ClientResponse?) -> Void) { self.use = use }

  override func receive(_ response: ClientResponse?) { use(response) }
}
