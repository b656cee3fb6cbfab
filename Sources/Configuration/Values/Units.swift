/// A length of time or a point of the monotonic clock, in nanoseconds.
public typealias Nanoseconds = Int

extension Nanoseconds {
  public static func milliseconds(_ count: Int) -> Nanoseconds { count * 1_000_000 }
  public static func seconds(_ count: Int) -> Nanoseconds { count * 1_000_000_000 }
  public static func minutes(_ count: Int) -> Nanoseconds { count * 60_000_000_000 }
  public static func hours(_ count: Int) -> Nanoseconds { count * 3_600_000_000_000 }
  public static func days(_ count: Int) -> Nanoseconds { count * 86_400_000_000_000 }
}

/// A number with one of several units, as in `250ms` or `16KiB`.
struct Measure {
  /// Each unit with how many of the smallest it is, from large to small.
  let units: [(name: String, size: Int)]

  static let duration = Measure(units: [
    ("d", .days(1)), ("h", .hours(1)), ("m", .minutes(1)), ("s", .seconds(1)), ("ms", .milliseconds(1)), ("us", 1000),
    ("ns", 1),
  ])

  static let size = Measure(units: [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)])

  /// What a text says, in the smallest unit; nil when it is no such text. `0` needs no unit.
  func parse(_ text: String) -> Int? {
    let digits = text.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    guard !digits.isEmpty else { return nil }
    let whole = Int(Substring(digits)) ?? .max
    var rest = text.utf8.dropFirst(digits.count)
    if rest.isEmpty { return whole == 0 ? 0 : nil }
    var fraction: (value: Int, scale: Int) = (0, 1)
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      var places = 0
      while let digit = rest.first, digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9"), places < 9 {
        fraction = (fraction.value * 10 + Int(digit - UInt8(ascii: "0")), fraction.scale * 10)
        rest = rest.dropFirst()
        places += 1
      }
      if places == 0 { return nil }
    }
    guard let unit = units.first(where: { $0.name.utf8.elementsEqual(rest) }) else { return nil }
    let (product, overflow) = whole.multipliedReportingOverflow(by: unit.size)
    let part = Int(Double(fraction.value) / Double(fraction.scale) * Double(unit.size))
    let (sum, carried) = product.addingReportingOverflow(part)
    return overflow || carried ? .max : sum
  }

  /// The text with the unit that its author probably had in mind, such as `10MiB` for `10MB` and `5m` for `5min`.
  func nearest(_ text: String) -> String? {
    let number = text.prefix { $0.isWholeNumber || $0 == "." }
    let unit = text.dropFirst(number.count).drop { $0 == " " }.lowercased()
    guard !number.isEmpty, let meant = Self.strangers[unit], units.contains(where: { $0.name == meant }),
      parse(number + meant) != nil
    else { return nil }
    return number + meant
  }

  /// Units of other languages, in lower case.
  private static let strangers = [
    "k": "KiB", "kb": "KiB", "ki": "KiB", "kib": "KiB", "m": "MiB", "mb": "MiB", "mi": "MiB", "mib": "MiB",
    "g": "GiB", "gb": "GiB", "gi": "GiB", "gib": "GiB", "b": "B", "byte": "B", "bytes": "B",
    "sec": "s", "second": "s", "seconds": "s", "min": "m", "minute": "m", "minutes": "m", "hour": "h", "hours": "h",
    "day": "d", "days": "d", "msec": "ms",
  ]

  /// The shortest text that says it exactly.
  func text(_ value: Int) -> String {
    guard value != 0, let unit = units.first(where: { value.isMultiple(of: $0.size) }) else { return "0" }
    return "\(value / unit.size)\(unit.name)"
  }
}

public enum ByteSize {
  /// A number of bytes as the configuration writes it.
  public static func text(_ bytes: Int) -> String { Measure.size.text(bytes) }
}

public enum TimeSpan {
  /// A length of time as the configuration writes it.
  public static func text(_ time: Nanoseconds) -> String { Measure.duration.text(time) }
}

/// So many in such a time: `100/s`.
public struct Rate: Sendable, Equatable {
  public var count: Int
  public var per: Nanoseconds

  public init(count: Int, per: Nanoseconds) {
    self.count = count
    self.per = per
  }

  private static let units: [(name: String, size: Nanoseconds)] = [
    ("s", .seconds(1)), ("min", .minutes(1)), ("h", .hours(1)), ("day", .days(1)),
  ]

  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Decimal.parse(parts[0]), count > 0,
      let unit = Self.units.first(where: { $0.name == parts[1] })
    else { return nil }
    self.init(count: count, per: unit.size)
  }

  public var text: String {
    let unit = Self.units.first { $0.size == per }
    return "\(count)/\(unit?.name ?? TimeSpan.text(per))"
  }
}

/// Whole numbers and ratios in decimal digits, and nothing else that Swift would also read.
enum Decimal {
  static func parse(_ text: some StringProtocol) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return nil
    }
    return Int(text)
  }

  /// `20%` or `99.9%` as 0.2 or 0.999.
  static func ratio(_ text: String) -> Double? {
    guard text.utf8.last == UInt8(ascii: "%") else { return nil }
    let parts = text.dropLast().split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, parse(whole) != nil, parts.count == 1 || parse(parts[1]) != nil,
      let value = Double(text.dropLast())
    else { return nil }
    return value / 100
  }

  static func percentage(_ ratio: Double) -> String {
    let scaled = (ratio * 100_000).rounded() / 1000
    return scaled == scaled.rounded() ? "\(Int(scaled))%" : "\(scaled)%"
  }
}
