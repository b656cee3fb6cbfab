/// A number of up to fifteen digits and no exponent, which a `Double` tells from every other such number.
struct PlainNumber {
  let value: Double
  /// Whether it is written without a fraction.
  let isWhole: Bool

  /// Nil for numbers of more digits, or with an exponent.
  ///
  /// - Parameter text: a number that was parsed.
  @inline(__always)
  init?(_ text: Span<UInt8>) {
    if text.count > 16 { return nil }
    var index = text[0] == UInt8(ascii: "-") ? 1 : 0
    let isNegative = index == 1
    var digits: Int64 = 0
    var scale: Int64 = 0
    while index < text.count {
      let digit = text[index] &- 0x30
      if digit < 10 {
        digits = digits &* 10 &+ Int64(digit)
        scale = scale &* 10
      } else if digit == UInt8(ascii: ".") &- 0x30 {
        scale = 1
      } else {
        return nil
      }
      index &+= 1
    }
    if digits >= 1_000_000_000_000_000 { return nil }
    // Both are exact, so that the quotient is the nearest to what is written.
    let magnitude = scale == 0 ? Double(digits) : Double(digits) / Double(scale)
    value = isNegative ? -magnitude : magnitude
    isWhole = scale == 0
  }
}
