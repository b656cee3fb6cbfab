extension ValueType where Value == String {
  /// How freely a model draws, as it was written.
  public static var temperature: ValueType {
    let shape = ScalarShape(
      "temperature", expectation: "a number from 0 to 2, such as 0.3",
      schema: [("type", .string("number")), ("minimum", .integer(0)), ("maximum", .integer(2))])
    return .scalar(shape, text: { $0 }) { text throws(ScalarMistake) in
      guard let value = Self.decimal(text) else { throw .malformed }
      guard 0...2 ~= value else { throw .outOfRange }
      return text
    }
  }

  /// Nil for what JSON would write otherwise.
  public static func decimal(_ text: String) -> Double? {
    let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 &- 0x30 < 10 } }),
      parts[0] == "0" || !parts[0].hasPrefix("0"), text.utf8.count <= 30
    else { return nil }
    return Double(text)
  }
}
