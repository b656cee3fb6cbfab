import Kernel

/// A request method (RFC 9110 §9); those beyond the registered core are `other` and kept as bytes.
public enum Method: UInt8, Sendable {
  case get, head, post, put, delete, options, patch, trace, connect, other

  /// The method spelt by these bytes; methods are case-sensitive.
  public init(_ token: Span<UInt8>) {
    self = .other
    if token.count > 7 { return }
    let word = ByteScan.word(in: token)
    for method in [Method.get, .head, .post, .put, .delete, .options, .patch, .trace, .connect]
    where word == ByteScan.word(in: ByteScan.bytes(of: method.text)) {
      self = method
      return
    }
  }

  /// The method's name; empty for `other`.
  public var text: StaticString {
    switch self {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .trace: "TRACE"
    case .connect: "CONNECT"
    case .other: ""
    }
  }

  /// Whether the method asks for no change (RFC 9110 §9.2.1).
  public var isSafe: Bool {
    switch self {
    case .get, .head, .options, .trace: true
    default: false
    }
  }

  /// Whether sending it twice means the same as once (RFC 9110 §9.2.2): what a retry needs.
  public var isIdempotent: Bool { isSafe || self == .put || self == .delete }
}
