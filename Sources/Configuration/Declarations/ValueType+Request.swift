extension ValueType where Value == RequestValue {
  /// A value of the request: `consumer`, `user`, `ip`, `route`, `header.x-name`, `query.name`, `cookie.name`, `path.id`, `jwt.sub`.
  public static var requestValue: ValueType {
    let forms = [
      "consumer", "user", "ip", "route", "header.NAME", "query.NAME", "cookie.NAME", "path.NAME", "jwt.CLAIM",
    ]
    let shape = ScalarShape(
      "value of the request", expectation: "one of \(forms.joined(separator: ", "))",
      schema: [
        ("type", .string("string")),
        ("pattern", .string(#"^(consumer|user|ip|route|(header|query|cookie|path|jwt)\..+)$"#)),
      ])
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      if let value = RequestValue(text) { return value }
      if let dot = text.firstIndex(of: "."), RequestValue.unread.contains(String(text[..<dot])) {
        throw .other("`\(Printable(text))` cannot be used here: \(text[..<dot]) values are not available")
      }
      throw .malformed
    }
  }
}

extension RequestValue {
  /// Values that other parts of the language know, and that cannot be read from a request's head.
  fileprivate static let unread: Set<String> = ["body", "context"]

  /// Nil when the text names no value of the request.
  public init?(_ text: String) {
    switch text {
    case "consumer": self = .consumer
    case "user": self = .user
    case "ip": self = .ip
    case "route": self = .route
    default:
      let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[1].isEmpty, parts[1].utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
        return nil
      }
      let name = String(parts[1])
      switch parts[0] {
      case "header" where Token.isToken(name.utf8): self = .header(name.lowercased())
      case "query": self = .query(name)
      case "cookie" where Token.isToken(name.utf8): self = .cookie(name)
      case "path": self = .path(name)
      case "jwt": self = .jwt(name)
      default: return nil
      }
    }
  }

  /// As the configuration writes it.
  public var text: String {
    switch self {
    case .consumer: "consumer"
    case .user: "user"
    case .ip: "ip"
    case .route: "route"
    case .header(let name): "header.\(name)"
    case .query(let name): "query.\(name)"
    case .cookie(let name): "cookie.\(name)"
    case .path(let name): "path.\(name)"
    case .jwt(let name): "jwt.\(name)"
    }
  }
}
