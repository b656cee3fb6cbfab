/// How a zone's clocks are set in every year to come, as POSIX writes it: `CET-1CEST,M3.5.0,M10.5.0/3`.
struct TimeZoneRule: Sendable, Equatable {
  /// Seconds east of UTC.
  private let standard: Int
  private let summer: Summer?

  private struct Summer: Sendable, Equatable {
    var offset: Int
    var start: Day
    var end: Day
  }

  /// A weekday of a month's first to fourth, or last, week; and seconds of that day.
  private struct Day: Sendable, Equatable {
    var month: Int
    var week: Int
    /// From Sunday, 0.
    var weekday: Int
    var time: Int

    /// In seconds of local time.
    func moment(of year: Int) -> Int {
      let first = CalendarTime.start(year: year, month: month, day: 1)
      let end = CalendarTime.endOfMonth(first)
      // 1970 began on a Thursday.
      let weekdayOfFirst = ((first / 86_400 + 4) % 7 + 7) % 7
      var day = first + ((weekday - weekdayOfFirst + 7) % 7 + (week - 1) * 7) * 86_400
      while day >= end { day -= 7 * 86_400 }
      return day + time
    }
  }

  func offset(at seconds: Int) -> Int {
    guard let summer else { return standard }
    let year = CalendarTime.date(of: seconds + standard).year
    let (start, end) = (summer.start.moment(of: year) - standard, summer.end.moment(of: year) - summer.offset)
    let isSummer = start < end ? start <= seconds && seconds < end : seconds < end || start <= seconds
    return isSummer ? summer.offset : standard
  }

  /// Nil for none, and for one of the forms that no zone uses.
  init?(_ text: some Sequence<UInt8>) {
    var reader = Reader(rest: Array(text)[...])
    guard reader.takeName(), let west = reader.takeTime() else { return nil }
    standard = -west
    if reader.rest.isEmpty {
      summer = nil
      return
    }
    guard reader.takeName() else { return nil }
    let offset = reader.rest.first == UInt8(ascii: ",") ? standard + 3600 : reader.takeTime().map { -$0 }
    guard let offset, let start = reader.takeDay(), let end = reader.takeDay(), reader.rest.isEmpty else { return nil }
    summer = Summer(offset: offset, start: start, end: end)
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    mutating func take(_ byte: Character) -> Bool {
      guard let first = rest.first, first == byte.asciiValue else { return false }
      rest.removeFirst()
      return true
    }

    /// Of three letters or more, or anything in angle brackets.
    mutating func takeName() -> Bool {
      let isQuoted = take("<")
      let name = rest.prefix { isQuoted ? $0 != UInt8(ascii: ">") : $0.isASCIILetter }
      rest = rest.dropFirst(name.count)
      return name.count >= 3 && (!isQuoted || take(">"))
    }

    mutating func takeNumber() -> Int? {
      let digits = rest.prefix { $0.isASCIIDigit }
      rest = rest.dropFirst(digits.count)
      return digits.count > 3 ? nil : Int(String(decoding: digits, as: UTF8.self))
    }

    /// Hours, and minutes and seconds if there are; in seconds.
    mutating func takeTime() -> Int? {
      let isNegative = take("-")
      if !isNegative { _ = take("+") }
      guard let hours = takeNumber() else { return nil }
      var seconds = hours * 3600
      for unit in [60, 1] where take(":") {
        guard let number = takeNumber() else { return nil }
        seconds += number * unit
      }
      return isNegative ? -seconds : seconds
    }

    mutating func takeDay() -> Day? {
      guard take(","), take("M"), let month = takeNumber(), take("."), let week = takeNumber(), take("."),
        let weekday = takeNumber(), 1...12 ~= month, 1...5 ~= week, 0...6 ~= weekday
      else { return nil }
      var time = 2 * 3600
      if take("/") {
        guard let given = takeTime() else { return nil }
        time = given
      }
      return Day(month: month, week: week, weekday: weekday, time: time)
    }
  }
}

extension UInt8 {
  var isASCIIDigit: Bool { 0x30...0x39 ~= self }
  var isASCIILetter: Bool { 0x41...0x5A ~= self & 0xDF }
}
