public import Kernel

/// A body that is kept and sent many times: immutable, so that every worker sends from the one copy.
public final class StoredBody: Sendable {
  private let bytes: ByteBuffer

  public init(_ bytes: consuming ByteBuffer) { self.bytes = bytes }

  public var count: Int { bytes.count }
  /// What it costs.
  public var capacity: Int { bytes.capacity }

  public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result { Self.withBytes(of: bytes, body) }

  public func append(to out: inout ByteBuffer) { Self.append(bytes, to: &out) }

  // Spans of an object's own buffers cannot leave the access to the object; those of arguments can.

  private static func withBytes<Result>(of buffer: borrowing ByteBuffer, _ body: (Span<UInt8>) -> Result) -> Result {
    body(buffer.span)
  }

  private static func append(_ buffer: borrowing ByteBuffer, to out: inout ByteBuffer) { out.append(buffer.span) }
}

/// Gets the content of an upstream's answer as it comes, before it is edited or put into a coding.
///
/// One that is released without `finish` saw only the beginning.
open class BodyRecorder {
  public init() {}
  open func append(_ bytes: Span<UInt8>) {}
  /// Whether what has come must not go on.
  open var refuses: Bool { false }
  /// The content is complete, and was delimited so that this is certain.
  open func finish() {}
}

/// Gets the answer to a request that is sent once more in the background.
open class AnswerReceiver {
  public init() {}
  /// - Parameter response: nil when there is none.
  open func receive(_ response: ClientResponse?) {}
}

/// How a cache took part in an exchange.
public enum CacheUse: UInt8, Sendable {
  case none
  /// Answered from it, without an upstream.
  case hit
  /// The same with an answer that is no longer fresh.
  case stale
  /// The upstream said that what is stored is still true.
  case revalidated
  case miss
  /// The request, or the answer to it, is one that is not cached.
  case bypass

  public var word: StaticString {
    switch self {
    case .none: ""
    case .hit: "hit"
    case .stale: "stale"
    case .revalidated: "revalidated"
    case .miss: "miss"
    case .bypass: "bypass"
    }
  }
}

/// Which stored answers are to be forgotten.
public struct AnswerPurge: Sendable {
  /// The name of a route; nil: all.
  public var route: String?
  /// In lower case, without a port; nil: all.
  public var host: String?
  /// A whole path; nil: all.
  public var path: String?
  /// The beginning of paths; nil: all.
  public var prefix: String?

  public init(route: String? = nil, host: String? = nil, path: String? = nil, prefix: String? = nil) {
    (self.route, self.host, self.path, self.prefix) = (route, host, path, prefix)
  }
}

/// What the instances of a plugin share, where it holds answers.
public protocol AnswerStore: Sendable {
  /// Forgets answers; how many it were.
  func purge(_ purge: AnswerPurge) -> Int
}

/// Wakes a task that waits on its worker; may be rung from any thread, and after the task has gone on.
public final class Bell: Sendable {
  private let action: @Sendable () -> Void
  public init(_ action: @escaping @Sendable () -> Void) { self.action = action }
  public func ring() { action() }
}
