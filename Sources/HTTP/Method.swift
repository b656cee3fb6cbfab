import Kernel

/// A request method (RFC 9110 §9); those beyond the registered core are `other` and kept as bytes.
public enum Method: UInt8, Sendable, CaseIterable {
  case get, head, post, put, delete, options, patch, trace, connect, other

  /// The method spelt by these bytes; methods are case-sensitive.
  public init(_ token: Span<UInt8>) {
    self = token.count > 7 ? .other : Method(word: ByteScan.word(in: token))
  }

  /// The method whose bytes are this number (`ByteScan.word`).
  init(word: UInt64) {
    self = .other
    for method in [Self.get, .post, .head, .put, .delete, .options, .patch, .trace, .connect] where method.word == word
    {
      self = method
      return
    }
  }

  /// The name as a number, its first byte lowest, so that one comparison recognises it.
  var word: UInt64 {
    switch self {
    case .get: 0x544547
    case .head: 0x44414548
    case .post: 0x54534f50
    case .put: 0x545550
    case .delete: 0x4554454c4544
    case .options: 0x534e4f4954504f
    case .patch: 0x4843544150
    case .trace: 0x4543415254
    case .connect: 0x5443454e4e4f43
    case .other: 0
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
