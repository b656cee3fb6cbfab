extension ValueType where Value == Int {
  public static func integer(in range: ClosedRange<Int>) -> ValueType {
    let bounds =
      range.upperBound == .max
      ? "a whole number from \(range.lowerBound)" : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    var schema: [(String, JSONText)] = [("type", .string("integer")), ("minimum", .integer(range.lowerBound))]
    if range.upperBound != .max { schema.append(("maximum", .integer(range.upperBound))) }
    return scalar(ScalarShape("whole number", expectation: bounds, schema: schema), text: { String($0) }) {
      text throws(ScalarMistake) in
      guard let value = Decimal.parse(text) else { throw .malformed }
      guard range.contains(value) else { throw .outOfRange }
      return value
    }
  }

  /// In nanoseconds.
  public static func duration(in range: ClosedRange<Nanoseconds>) -> ValueType {
    let bounds = "from \(TimeSpan.text(range.lowerBound)) to \(TimeSpan.text(range.upperBound))"
    return measure(
      .duration,
      ScalarShape(
        "duration", expectation: "a duration \(bounds), such as 250ms, 30s, 10m, 2h or 7d",
        schema: [("type", .string("string")), ("pattern", .string(#"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h|d)$|^0$"#))]),
      in: range)
  }

  /// From a millisecond to a year.
  public static var duration: ValueType { duration(in: .milliseconds(1) ... .days(365)) }

  /// In bytes.
  public static func size(in range: ClosedRange<Int>) -> ValueType {
    let bounds = "from \(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound))"
    return measure(
      .size,
      ScalarShape(
        "size", expectation: "a size \(bounds), such as 512B, 16KiB or 10MiB",
        schema: [("type", .string("string")), ("pattern", .string(#"^[0-9]+(\.[0-9]+)?(B|KiB|MiB|GiB|TiB)$|^0$"#))]),
      in: range)
  }

  private static func measure(_ measure: Measure, _ shape: ScalarShape, in range: ClosedRange<Int>) -> ValueType {
    scalar(shape, text: { measure.text($0) }) { text throws(ScalarMistake) in
      guard let value = measure.parse(text) else {
        if let meant = measure.nearest(text) { throw .misspelt(meant: meant) }
        throw .malformed
      }
      guard range.contains(value) else { throw .outOfRange }
      return value
    }
  }
}

extension ValueType where Value == Double {
  /// A share, 0 to 1, written in per cent.
  public static var ratio: ValueType {
    scalar(
      ScalarShape(
        "ratio", expectation: "a ratio from 0% to 100%, such as 20%",
        schema: [("type", .string("string")), ("pattern", .string(#"^[0-9]+(\.[0-9]+)?%$"#))]),
      text: Decimal.percentage
    ) { text throws(ScalarMistake) in
      guard let value = Decimal.ratio(text) else { throw .malformed }
      guard value <= 1 else { throw .outOfRange }
      return value
    }
  }
}

extension ValueType where Value == Rate {
  public static var rate: ValueType {
    scalar(
      ScalarShape(
        "rate", expectation: "a rate such as 100/s, 5000/min, 50/h or 1000/day",
        schema: [("type", .string("string")), ("pattern", .string("^[0-9]+/(s|min|h|day)$"))]),
      text: \.text
    ) { text throws(ScalarMistake) in
      guard let value = Rate(text) else { throw .malformed }
      return value
    }
  }
}

extension ValueType where Value == Bool {
  public static var boolean: ValueType {
    scalar(
      ScalarShape(
        "truth value", expectation: "true or false", schema: [("type", .string("boolean"))],
        choices: ["true", "false"]),
      text: { $0 ? "true" : "false" }
    ) { text throws(ScalarMistake) in
      switch text {
      case "true", "True", "TRUE": return true
      case "false", "False", "FALSE": return false
      default: throw .malformed
      }
    }
  }
}

extension ValueType where Value: CaseIterable & RawRepresentable<String> {
  /// One of the words that an enumeration names.
  public static var choice: ValueType {
    let words = Value.allCases.map(\.rawValue)
    let shape = ScalarShape(
      "known word", expectation: "one of \(words.joined(separator: ", "))",
      schema: [("enum", .array(words.map { .string($0) }))], choices: words)
    return scalar(shape, text: \.rawValue) { text throws(ScalarMistake) in
      guard let value = Value(rawValue: text) else { throw .malformed }
      return value
    }
  }
}

extension ValueType where Value == String {
  /// Text without control characters, at most `limit` bytes and not empty.
  public static func text(_ noun: String = "text", expectation: String = "text", limit: Int = 8192) -> ValueType {
    scalar(ScalarShape(noun, expectation: expectation), text: { $0 }) { text throws(ScalarMistake) in
      guard !text.isEmpty, text.utf8.count <= limit else { throw .outOfRange }
      guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { throw .malformed }
      return text
    }
  }

  /// Any text, also of several lines or none.
  public static func content(limit: Int = 1 << 20) -> ValueType {
    scalar(ScalarShape("text", expectation: "text of at most \(ByteSize.text(limit))"), text: { $0 }) {
      text throws(ScalarMistake) in
      guard text.utf8.count <= limit else { throw .outOfRange }
      return text
    }
  }

  /// The name of a field (RFC 9110 §5.1), in lower case.
  public static var fieldName: ValueType {
    token("field name", expectation: "a field name such as x-request-id") { $0.lowercased() }
  }

  /// A method (RFC 9110 §9.1), in upper case.
  public static var method: ValueType {
    token("method", expectation: "a method such as GET or POST, in upper case") { $0 }.checked {
      text throws(ScalarMistake) in
      guard text == text.uppercased() else { throw .malformed }
    }
  }

  /// A token (RFC 9110 §5.6.2).
  public static func token(
    _ noun: String, expectation: String, normalize: @escaping @Sendable (String) -> String = { $0 }
  ) -> ValueType {
    scalar(ScalarShape(noun, expectation: expectation), text: { $0 }) { text throws(ScalarMistake) in
      guard Token.isToken(text.utf8), text.utf8.count <= 256 else { throw .malformed }
      return normalize(text)
    }
  }

  /// The value of a field (RFC 9110 §5.5): no control characters, no space at the ends; may be empty.
  public static var fieldValue: ValueType {
    scalar(ScalarShape("field value", expectation: "the value of a field, on one line"), text: { $0 }) {
      text throws(ScalarMistake) in
      let bytes = text.utf8
      guard bytes.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == 9 }), bytes.count <= 8192,
        bytes.first != 0x20, bytes.last != 0x20, bytes.first != 9, bytes.last != 9
      else { throw .malformed }
      return text
    }
  }

  /// A path of the file system, as the file that names it means it.
  public static var filePath: ValueType {
    let shape = ScalarShape("path", expectation: "the path of a file or directory")
    return ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let text = reading.scalar(node, shape) else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
          reading.report(.malformed, text, at: node.position, shape)
          return nil
        }
        return FilePath.resolve(text, in: node.document.directory)
      },
      describe: { .text($0) })
  }
}

extension ValueType {
  /// The same type with one more rule.
  public func checked(_ rule: @escaping @Sendable (Value) throws(ScalarMistake) -> Void) -> ValueType {
    guard case .scalar(let scalar) = shape else { preconditionFailure("only scalars are checked so") }
    return ValueType(
      shape: shape,
      read: { [read] node, reading in
        guard let value = read(node, &reading) else { return nil }
        do throws(ScalarMistake) {
          try rule(value)
          return value
        } catch {
          reading.report(error, node.text, in: node, scalar)
          return nil
        }
      },
      describe: describe)
  }
}
