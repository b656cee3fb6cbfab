import Kernel

/// A number of JSON as it is written: a coefficient and a power of ten, so that 0.1 is a tenth and 1.0 equals 1.
///
/// Coefficients have up to 38 digits; the few numbers beyond are compared as floating point.
struct DecimalNumber: Sendable {
  private var isNegative = false
  private var coefficient: UInt128 = 0
  private var exponent = 0
  /// Set when the digits do not fit; then only `approximation` counts.
  private var isInexact = false
  private let approximation: Double

  /// - Parameter text: a number that was parsed.
  init(_ text: Span<UInt8>) {
    var index = 0
    if text.count > 0, text[0] == UInt8(ascii: "-") {
      isNegative = true
      index = 1
    }
    var isFraction = false
    while index < text.count, text[index] | 0x20 != UInt8(ascii: "e") {
      if text[index] == UInt8(ascii: ".") {
        isFraction = true
      } else {
        let (product, overflow) = coefficient.multipliedReportingOverflow(by: 10)
        let (sum, carry) = product.addingReportingOverflow(UInt128(text[index] &- 0x30))
        if overflow || carry { isInexact = true } else { coefficient = sum }
        if isFraction { exponent -= 1 }
      }
      index += 1
    }
    if index < text.count { exponent += Self.exponent(text.extracting(index + 1..<text.count)) }
    // A list of bytes is made only for the number's own text, which is short.
    approximation = isInexact ? Double(String(decoding: text.indices.map { text[$0] }, as: UTF8.self)) ?? 0 : 0
    while coefficient != 0, coefficient % 10 == 0 {
      coefficient /= 10
      exponent += 1
    }
    if coefficient == 0 {
      exponent = 0
      isNegative = false
    }
  }

  var isZero: Bool { coefficient == 0 && !isInexact }
  var isPositive: Bool { !isNegative && !isZero }

  /// Whether it has no fraction: 1.0 and 1e3 have none.
  var isInteger: Bool { isInexact ? approximation == approximation.rounded() : exponent >= 0 }

  /// As a count of things; nil when it is none.
  var count: Int? {
    guard !isNegative, isInteger, !isInexact, let value = Self.scale(coefficient, by: exponent) else { return nil }
    return Int(exactly: value)
  }

  /// The same for equal numbers.
  var hash: UInt64 {
    isInexact
      ? approximation.bitPattern
      : UInt64(truncatingIfNeeded: coefficient) &* 31 &+ UInt64(bitPattern: Int64(exponent)) &+ (isNegative ? 1 : 0)
  }

  private static func exponent(_ text: Span<UInt8>) -> Int {
    var value = 0
    var isNegative = false
    for index in text.indices {
      switch text[index] {
      case UInt8(ascii: "-"): isNegative = true
      case UInt8(ascii: "+"): break
      // Beyond this no number of ours is told from another.
      case let digit: value = min(1_000_000, value * 10 + Int(digit &- 0x30))
      }
    }
    return isNegative ? -value : value
  }

  private var double: Double {
    if isInexact { return approximation }
    var value = Double(coefficient)
    if exponent > 400 {
      value = value == 0 ? 0 : .infinity
    } else if exponent < -400 {
      value = 0
    } else {
      var steps = abs(exponent)
      while steps > 0 {
        if exponent > 0 { value *= 10 } else { value /= 10 }
        steps -= 1
      }
    }
    return isNegative ? -value : value
  }

  /// Both coefficients at one exponent; nil when one does not fit.
  private static func align(_ a: DecimalNumber, _ b: DecimalNumber) -> (UInt128, UInt128)? {
    if a.isInexact || b.isInexact { return nil }
    let least = min(a.exponent, b.exponent)
    guard let x = scale(a.coefficient, by: a.exponent - least), let y = scale(b.coefficient, by: b.exponent - least)
    else { return nil }
    return (x, y)
  }

  private static func scale(_ value: UInt128, by power: Int) -> UInt128? {
    if value == 0 { return 0 }
    if power > 38 { return nil }
    var value = value
    for _ in 0..<power {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    return value
  }

  static func < (a: DecimalNumber, b: DecimalNumber) -> Bool {
    if a.isNegative != b.isNegative { return a.isNegative }
    guard let (x, y) = align(a, b) else {
      if !a.isInexact, !b.isInexact, a.magnitudeOrder != b.magnitudeOrder {
        return a.isNegative != (a.magnitudeOrder < b.magnitudeOrder)
      }
      return a.double < b.double
    }
    return a.isNegative ? y < x : x < y
  }

  /// The power of ten of the first digit.
  private var magnitudeOrder: Int {
    var digits = 0
    var rest = coefficient
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    return coefficient == 0 ? .min : exponent + digits
  }

  static func == (a: DecimalNumber, b: DecimalNumber) -> Bool {
    if a.isInexact || b.isInexact { return a.isInexact == b.isInexact && a.approximation == b.approximation }
    return a.isNegative == b.isNegative && a.coefficient == b.coefficient && a.exponent == b.exponent
  }

  /// - Parameter other: above zero.
  func isMultiple(of other: DecimalNumber) -> Bool {
    if isZero { return true }
    if let (x, y) = Self.align(self, other) { return y != 0 && x % y == 0 }
    // Whole multiples of ten of what divides: common where an exponent is large.
    if !isInexact, !other.isInexact, exponent >= other.exponent { return modulus(by: other) }
    let quotient = double / other.double
    return quotient.isFinite && quotient == quotient.rounded()
  }

  /// Divides digit by digit, as the aligned number would not fit.
  private func modulus(by other: DecimalNumber) -> Bool {
    let divisor = other.coefficient
    guard divisor < UInt128.max / 10 else { return false }
    var rest = coefficient % divisor
    for _ in 0..<min(exponent - other.exponent, 10_000) where rest != 0 { rest = rest * 10 % divisor }
    return rest == 0
  }
}
