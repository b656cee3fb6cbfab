/// Points in time of the Gregorian calendar in UTC, as seconds since 1970.
public enum CalendarTime {
  /// The year, month (1 to 12) and day (1 to 31) of a point in time.
  public static func date(of seconds: Int) -> (year: Int, month: Int, day: Int) {
    // Counted in years that begin in March, so that the leap day comes last: 400 of them have 146 097 days.
    let shifted = floor(seconds, 86_400) + 719_468
    let era = floor(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }

  /// When a day begins.
  public static func start(year: Int, month: Int, day: Int) -> Int {
    let marchYear = month <= 2 ? year - 1 : year
    let era = floor(marchYear, 400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return (era * 146_097 + dayOfEra - 719_468) * 86_400
  }

  /// When the day ends in which a point in time lies.
  public static func endOfDay(_ seconds: Int) -> Int { (floor(seconds, 86_400) + 1) * 86_400 }

  /// When the month ends in which a point in time lies.
  public static func endOfMonth(_ seconds: Int) -> Int {
    let (year, month, _) = date(of: seconds)
    return month == 12 ? start(year: year + 1, month: 1, day: 1) : start(year: year, month: month + 1, day: 1)
  }

  /// What `2027-06-01` or `2027-06-01T12:30:00Z` says; nil for any other text.
  public static func parse(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    guard bytes.count == 10 || bytes.count == 20, let year = number(bytes, 0..<4), let month = number(bytes, 5..<7),
      let day = number(bytes, 8..<10), bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-")
    else { return nil }
    let start = start(year: year, month: month, day: day)
    guard (1...12).contains(month), day > 0, date(of: start) == (year, month, day) else { return nil }
    if bytes.count == 10 { return start }
    guard let hour = number(bytes, 11..<13), let minute = number(bytes, 14..<16), let second = number(bytes, 17..<19),
      hour < 24, minute < 60, second < 60, bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"), bytes[19] == UInt8(ascii: "Z")
    else { return nil }
    return start + hour * 3600 + minute * 60 + second
  }

  /// The shortest text that `parse` reads back.
  public static func text(_ seconds: Int) -> String {
    let (year, month, day) = date(of: seconds)
    let time = seconds - floor(seconds, 86_400) * 86_400
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    if time == 0 { return date }
    return "\(date)T\(padded(time / 3600, 2)):\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))Z"
  }

  private static func floor(_ value: Int, _ unit: Int) -> Int { (value >= 0 ? value : value - unit + 1) / unit }

  private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
    var value = 0
    for byte in bytes[range] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

extension ValueType where Value == Int {
  /// A day, which means its beginning in UTC, or a second; as seconds since 1970.
  public static var date: ValueType {
    scalar(
      ScalarShape(
        "date", expectation: "a date such as \"2027-06-01\" or \"2027-06-01T12:00:00Z\"",
        schema: [
          ("type", .string("string")),
          ("pattern", .string(#"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?$"#)),
        ]),
      text: CalendarTime.text
    ) { text throws(ScalarMistake) in
      guard let seconds = CalendarTime.parse(text) else { throw .malformed }
      return seconds
    }
  }
}
