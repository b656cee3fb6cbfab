/// JSON to be written: for machine-readable diagnostics, the schema, and answers written in the configuration.
public indirect enum JSONText: Sendable, Equatable {
  case null
  case boolean(Bool)
  case integer(Int)
  /// A number in the digits that it was written with.
  case number(String)
  case string(String)
  case array([JSONText])
  /// In the order given.
  case object([(String, JSONText)])

  public static func == (a: JSONText, b: JSONText) -> Bool { a.text == b.text }

  /// On one line, without spaces.
  public var text: String {
    var result = ""
    write(to: &result, indent: nil, depth: 0)
    return result
  }

  /// On many lines, indented by two.
  public var indented: String {
    var result = ""
    write(to: &result, indent: "  ", depth: 0)
    return result + "\n"
  }

  private func write(to result: inout String, indent: String?, depth: Int) {
    switch self {
    case .null: result += "null"
    case .boolean(let value): result += value ? "true" : "false"
    case .integer(let value): result += String(value)
    case .number(let digits): result += digits
    case .string(let text): Self.quote(text, to: &result)
    case .array(let items):
      Self.enclose("[", "]", items, to: &result, indent, depth) { item, result in
        item.write(to: &result, indent: indent, depth: depth + 1)
      }
    case .object(let members):
      Self.enclose("{", "}", members, to: &result, indent, depth) { member, result in
        Self.quote(member.0, to: &result)
        result += indent == nil ? ":" : ": "
        member.1.write(to: &result, indent: indent, depth: depth + 1)
      }
    }
  }

  private static func enclose<Item>(
    _ open: String, _ close: String, _ items: [Item], to result: inout String, _ indent: String?, _ depth: Int,
    _ write: (Item, inout String) -> Void
  ) {
    result += open
    for (index, item) in items.enumerated() {
      if index > 0 { result += "," }
      if let indent { result += "\n" + String(repeating: indent, count: depth + 1) }
      write(item, &result)
    }
    if let indent, !items.isEmpty { result += "\n" + String(repeating: indent, count: depth) }
    result += close
  }

  private static func quote(_ text: String, to result: inout String) {
    result += "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      case "\r": result += "\\r"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    result += "\""
  }
}
