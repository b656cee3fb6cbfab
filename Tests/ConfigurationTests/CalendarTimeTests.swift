import Testing

@testable import Configuration

@Suite struct CalendarTimeTests {
  @Test(arguments: [
    ("1970-01-01", 0), ("2000-02-29", 951_782_400), ("2026-06-01", 1_780_272_000), ("1969-12-31", -86_400),
    ("2027-06-01T12:30:05Z", 1_811_853_005), ("0001-01-01", -62_135_596_800), ("9999-12-31", 253_402_214_400),
  ])
  func `dates are read and written back`(text: String, seconds: Int) {
    #expect(CalendarTime.parse(text) == seconds)
    #expect(CalendarTime.text(seconds) == text)
  }

  @Test(arguments: [
    "", "2027", "2027-6-1", "2027-13-01", "2027-00-01", "2027-02-29", "2027-04-31", "2027-01-00", "2027/01/01",
    "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:00", "2027-01-01 00:00:00Z",
    "2027-01-01T00:00:00+01:00", "２０２７-01-01",
  ])
  func `what is no date is none`(text: String) { #expect(CalendarTime.parse(text) == nil) }

  @Test func `days and months end where the next begins`() {
    #expect(CalendarTime.text(CalendarTime.endOfDay(951_782_400)) == "2000-03-01")
    #expect(CalendarTime.text(CalendarTime.endOfDay(951_782_399)) == "2000-02-29")
    #expect(CalendarTime.text(CalendarTime.endOfMonth(951_782_400)) == "2000-03-01")
    #expect(CalendarTime.text(CalendarTime.endOfMonth(CalendarTime.parse("2026-12-31T23:59:59Z")!)) == "2027-01-01")
  }

  @Test func `every day follows the one before`() {
    var day = CalendarTime.start(year: 1899, month: 12, day: 28)
    for _ in 0..<80_000 {
      let (year, month, date) = CalendarTime.date(of: day)
      #expect(CalendarTime.start(year: year, month: month, day: date) == day)
      day += 86_400
    }
  }
}
