import Testing

@testable import Configuration

@Suite struct UnitsTests {
  @Test(arguments: [
    ("250ms", 250_000_000), ("30s", 30_000_000_000), ("10m", 600_000_000_000), ("2h", 7_200_000_000_000),
    ("7d", 604_800_000_000_000), ("1.5s", 1_500_000_000), ("0", 0), ("12us", 12_000), ("9ns", 9),
    ("0.25ms", 250_000), ("99999999999999999999d", Int.max), ("9999999999999d", Int.max),
  ])
  func `a duration is a number with a unit`(_ text: String, _ nanoseconds: Int) {
    #expect(Measure.duration.parse(text) == nanoseconds)
  }

  @Test(arguments: [
    "", "s", "10", "10 s", "-1s", "1e3s", "1_000s", "1.s", ".5s", "1.5.2s", "10S", "10min", "١s", "1s ",
  ])
  func `anything else is no duration`(_ text: String) {
    #expect(Measure.duration.parse(text) == nil)
  }

  @Test(arguments: [("512B", 512), ("16KiB", 16384), ("10MiB", 10 << 20), ("1.5GiB", 3 << 29), ("1TiB", 1 << 40)])
  func `a size is a number with a binary unit`(_ text: String, _ bytes: Int) {
    #expect(Measure.size.parse(text) == bytes)
    if !text.contains(".") { #expect(ByteSize.text(bytes) == text) }
  }

  @Test(arguments: ["10MB", "10M", "10mib", "10", "10 MiB"])
  func `a size without a binary unit is none`(_ text: String) {
    #expect(Measure.size.parse(text) == nil)
  }

  @Test(arguments: [("10MB", "10MiB"), ("5 kb", "5KiB"), ("7bytes", "7B")])
  func `a size in foreign units is told apart from nonsense`(_ text: String, _ meant: String) {
    #expect(Measure.size.nearest(text) == meant)
    #expect(Measure.duration.nearest(text) == nil)
  }

  @Test(arguments: [0, 1, 999, 1000, 1_500_000_000, 60_000_000_000, 86_400_000_000_000, 90_000_000_000])
  func `a duration is written so that it reads the same`(_ nanoseconds: Int) {
    #expect(Measure.duration.parse(TimeSpan.text(nanoseconds)) == nanoseconds)
  }

  @Test func `a rate says how many in which time`() {
    #expect(Rate("100/s") == Rate(count: 100, per: .seconds(1)))
    #expect(Rate("5000/min") == Rate(count: 5000, per: .minutes(1)))
    #expect(Rate("50/h") == Rate(count: 50, per: .hours(1)))
    #expect(Rate("1000/day") == Rate(count: 1000, per: .days(1)))
    #expect(Rate("1000/day")?.text == "1000/day")
    for wrong in ["", "/", "100", "100/", "/s", "0/s", "-1/s", "100/m", "100/s/s", "1.5/s"] {
      #expect(Rate(wrong) == nil)
    }
  }

  @Test func `a ratio is written in per cent`() {
    #expect(Decimal.ratio("20%") == 0.2)
    #expect(abs((Decimal.ratio("99.9%") ?? 0) - 0.999) < 1e-12)
    #expect(Decimal.ratio("0%") == 0)
    for wrong in ["", "%", "20", "0.2", "-1%", "1e1%", "inf%", "nan%", "20 %", ".5%", "5.%", "1_0%"] {
      #expect(Decimal.ratio(wrong) == nil)
    }
    #expect(Decimal.percentage(0.2) == "20%")
    #expect(Decimal.percentage(0.999) == "99.9%")
  }
}
