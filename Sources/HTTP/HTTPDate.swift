public import Kernel

/// Writes the time as `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7); formats once a second.
public struct HTTPDate: ~Copyable {
  private var second = Int.min
  private var text = ByteBuffer(capacity: 32)

  public init() {}

  /// - Parameter unixSeconds: seconds since 1970 in UTC, from year 0 to 9999.
  public mutating func append(_ unixSeconds: Int, into out: inout ByteBuffer) {
    if unixSeconds != second { format(unixSeconds) }
    out.append(text.span)
  }

  private mutating func format(_ unixSeconds: Int) {
    second = unixSeconds
    text.removeAll()
    let days = unixSeconds >= 0 ? unixSeconds / 86_400 : (unixSeconds - 86_399) / 86_400
    let time = unixSeconds - days * 86_400
    let (year, month, day) = Self.civil(days)
    // 1970 began on a Thursday.
    text.append(Self.weekdays[((days + 4) % 7 + 7) % 7])
    text.append(", ")
    twoDigits(day)
    text.append(Self.months[month - 1])
    twoDigits(year / 100)
    twoDigits(year % 100)
    text.append(UInt8(ascii: " "))
    twoDigits(time / 3600)
    text.append(UInt8(ascii: ":"))
    twoDigits(time / 60 % 60)
    text.append(UInt8(ascii: ":"))
    twoDigits(time % 60)
    text.append(" GMT")
  }

  private mutating func twoDigits(_ value: Int) {
    text.append(UInt8(truncatingIfNeeded: value / 10 % 10) + 0x30)
    text.append(UInt8(truncatingIfNeeded: value % 10) + 0x30)
  }

  private static let weekdays: [StaticString] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let months: [StaticString] = [
    " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec ",
  ]

  /// The Gregorian date so many days after 1 January 1970.
  ///
  /// Counted in years that begin in March, so that the leap day comes last: 400 of them have 146 097 days.
  public static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}
