public import Kernel

/// Moments as RFC 3339 writes them, in UTC.
///
/// Moments are nanoseconds since 1970-01-01; years from 0 to 9999.
public enum Timestamp {
  /// Appends `2026-11-22T20:49:53`.
  public static func append(secondOf moment: Int, to buffer: inout ByteBuffer) {
    let second = Timestamp.seconds(of: moment)
    let (days, time) = (second.floorDivided(by: 86_400), second.floorRemainder(by: 86_400))
    let date = Date(daysSince1970: days)
    buffer.append(zeroPadded: date.year, digits: 4)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(zeroPadded: date.month, digits: 2)
    buffer.append(UInt8(ascii: "-"))
    buffer.append(zeroPadded: date.day, digits: 2)
    buffer.append(UInt8(ascii: "T"))
    buffer.append(zeroPadded: time / 3_600, digits: 2)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(zeroPadded: time / 60 % 60, digits: 2)
    buffer.append(UInt8(ascii: ":"))
    buffer.append(zeroPadded: time % 60, digits: 2)
  }

  /// Appends `2026-11-22T20:49:53.123456Z`.
  public static func append(microsecondOf moment: Int, to buffer: inout ByteBuffer) {
    append(secondOf: moment, to: &buffer)
    append(fractionOf: moment, to: &buffer)
  }

  /// Appends `.123456Z`.
  public static func append(fractionOf moment: Int, to buffer: inout ByteBuffer) {
    buffer.append(UInt8(ascii: "."))
    buffer.append(zeroPadded: moment.floorRemainder(by: 1_000_000_000) / 1_000, digits: 6)
    buffer.append(UInt8(ascii: "Z"))
  }

  /// The whole seconds of a moment.
  public static func seconds(of moment: Int) -> Int { moment.floorDivided(by: 1_000_000_000) }

  /// Reads `2026-11-22T20:49:53` from `text` at `start`, to the second; nil when it is not there.
  public static func parse(_ text: Span<UInt8>, from start: Int = 0) -> Int? {
    guard text.count >= start + 19 else { return nil }
    func digits(_ offset: Int, _ count: Int) -> Int? {
      var value = 0
      for index in start + offset..<start + offset + count {
        guard (0x30...0x39).contains(text[index]) else { return nil }
        value = value * 10 + Int(text[index] - 0x30)
      }
      return value
    }
    guard let year = digits(0, 4), let month = digits(5, 2), let day = digits(8, 2), let hour = digits(11, 2),
      let minute = digits(14, 2), let second = digits(17, 2), (1...12).contains(month), (1...31).contains(day),
      hour < 24, minute < 60, second < 61
    else { return nil }
    let days = Date(year: year, month: month, day: day).daysSince1970
    return (days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000_000
  }

  /// A day of the proleptic Gregorian calendar.
  ///
  /// Years are counted from March, so that the leap day ends them: a month's first day is then a straight line,
  /// (153 m + 2) / 5, and a span of 400 years always has 146,097 days.
  private struct Date {
    let year: Int, month: Int, day: Int

    init(year: Int, month: Int, day: Int) { (self.year, self.month, self.day) = (year, month, day) }

    init(daysSince1970 days: Int) {
      let shifted = days + 719_468
      let era = shifted.floorDivided(by: 146_097)
      let dayOfEra = shifted - era * 146_097
      let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
      let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
      let marchMonth = (5 * dayOfYear + 2) / 153
      day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
      month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
      year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int {
      let marchYear = month <= 2 ? year - 1 : year
      let era = marchYear.floorDivided(by: 400)
      let yearOfEra = marchYear - era * 400
      let marchMonth = month > 2 ? month - 3 : month + 9
      let dayOfYear = (153 * marchMonth + 2) / 5 + day - 1
      return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
  }
}

extension Int {
  fileprivate func floorDivided(by divisor: Int) -> Int {
    self >= 0 ? self / divisor : -((-self + divisor - 1) / divisor)
  }

  fileprivate func floorRemainder(by divisor: Int) -> Int { self - floorDivided(by: divisor) * divisor }
}

extension ByteBuffer {
  /// Appends a number that is not negative, with zeroes in front.
  public mutating func append(zeroPadded value: Int, digits: Int) {
    var divisor = 1
    for _ in 1..<digits { divisor *= 10 }
    while divisor > 0 {
      append(UInt8(truncatingIfNeeded: value / divisor % 10) &+ 0x30)
      divisor /= 10
    }
  }
}
