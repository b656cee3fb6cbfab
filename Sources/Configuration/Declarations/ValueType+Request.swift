extension ValueType where Value == RequestValue {
  /// A value of the request: `header.x-name`, `query.name`, `cookie.name`, `path.id`, `ip`, `route`.
  public static var requestValue: ValueType {
    let forms = ["ip", "route", "header.NAME", "query.NAME", "cookie.NAME", "path.NAME"]
    let shape = ScalarShape(
      "value of the request", expectation: "one of \(forms.joined(separator: ", "))",
      schema: [
        ("type", .string("string")), ("pattern", .string(#"^(ip|route|(header|query|cookie|path)\..+)$"#)),
      ])
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      guard let value = RequestValue(text) else { throw .malformed }
      return value
    }
  }
}

extension RequestValue {
  /// Nil when the text names no value of the request.
  init?(_ text: String) {
    switch text {
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
      default: return nil
      }
    }
  }

  /// As the configuration writes it.
  public var text: String {
    switch self {
    case .ip: "ip"
    case .route: "route"
    case .header(let name): "header.\(name)"
    case .query(let name): "query.\(name)"
    case .cookie(let name): "cookie.\(name)"
    case .path(let name): "path.\(name)"
    }
  }
}
