import Kernel

extension HTTPDate {
  /// Seconds since 1970 of a date in any of the three forms that recipients must read (RFC 9110 §5.6.7); nil for what
  /// is none.
  public static func seconds(of text: Span<UInt8>) -> Int? {
    var parts = InlineArray<6, Range<Int>>(repeating: 0..<0)
    var count = 0
    var index = 0
    while index < text.count {
      if isSeparator(text[index]) {
        index += 1
        continue
      }
      let start = index
      while index < text.count, !isSeparator(text[index]) { index += 1 }
      if count == 6 { return nil }
      parts[count] = start..<index
      count += 1
    }
    if count == 5, let month = month(text, parts[1]) {
      // asctime: Sun Nov  6 08:49:37 1994
      return seconds(text, day: parts[2], month: month, year: parts[4], time: parts[3])
    }
    guard count == 6, let month = month(text, parts[2]), parts[5].count == 3 else { return nil }
    return seconds(text, day: parts[1], month: month, year: parts[3], time: parts[4])
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "-")
  }

  private static func seconds(
    _ text: Span<UInt8>, day: Range<Int>, month: Int, year: Range<Int>, time: Range<Int>
  ) -> Int? {
    guard let day = number(text, day), (1...31).contains(day), var full = number(text, year), time.count == 8,
      text[time.lowerBound + 2] == UInt8(ascii: ":"), text[time.lowerBound + 5] == UInt8(ascii: ":"),
      let hour = number(text, time.lowerBound..<time.lowerBound + 2), hour < 24,
      let minute = number(text, time.lowerBound + 3..<time.lowerBound + 5), minute < 60,
      let second = number(text, time.lowerBound + 6..<time.upperBound), second < 61
    else { return nil }
    // RFC 850 has two digits; those of the last century are past enough.
    if year.count == 2 { full += full < 70 ? 2000 : 1900 }
    return days(full, month, day) * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
    guard (1...4).contains(range.count) else { return nil }
    var number = 0
    for index in range {
      let digit = text[index] &- 0x30
      if digit > 9 { return nil }
      number = number * 10 + Int(digit)
    }
    return number
  }

  private static let monthNames: [StaticString] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  private static func month(_ text: Span<UInt8>, _ range: Range<Int>) -> Int? {
    monthNames.firstIndex { ByteScan.equal(text.extracting(range), ByteScan.bytes(of: $0)) }.map { $0 + 1 }
  }

  /// The days from 1 January 1970; what `civil` undoes.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
