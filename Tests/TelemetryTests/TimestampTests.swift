import Kernel
import Testing

@testable import Telemetry

@Suite struct TimestampTests {
  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000000Z"),
    (951_782_400_000_000_000, "2000-02-29T00:00:00.000000Z"),
    (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999999Z"),
    (1_709_251_200_000_000_000, "2024-03-01T00:00:00.000000Z"),
    (4_102_444_799_123_456_789, "2099-12-31T23:59:59.123456Z"),
    (-1, "1969-12-31T23:59:59.999999Z"),
    (-2_203_891_200_000_000_000, "1900-03-01T00:00:00.000000Z"),
  ])
  func `a moment is written as RFC 3339 in UTC`(moment: Int, expected: String) {
    var buffer = ByteBuffer()
    Timestamp.append(microsecondOf: moment, to: &buffer)
    #expect(String(copying: buffer) == expected)
  }

  @Test func `every day from 1900 to 2200 is read back as it was written`() {
    for day in -25_567..<84_006 {
      let moment = (day * 86_400 + 45_296) * 1_000_000_000
      var buffer = ByteBuffer()
      Timestamp.append(secondOf: moment, to: &buffer)
      #expect(Timestamp.parse(buffer.span) == moment)
    }
  }

  @Test(arguments: ["", "2024-02-29T23:59:5", "2024-13-01T00:00:00", "2024-00-01T00:00:00", "x024-01-01T00:00:00"])
  func `what is no moment is not read as one`(text: String) {
    #expect(Timestamp.parse(text.utf8Span.span) == nil)
  }
}
