import Kernel
import Testing

@testable import Configuration

@Suite struct TimeZoneTests {
  /// A file with one change of the clocks, in 2000, and a rule behind it.
  private static func file(_ rule: String, old: [UInt8] = []) -> [UInt8] {
    func number(_ value: Int, _ octets: Int) -> [UInt8] {
      (0..<octets).map { UInt8(truncatingIfNeeded: value >> (8 * (octets - 1 - $0))) }
    }
    func header(_ times: Int, _ types: Int) -> [UInt8] {
      Array("TZif2".utf8) + Array(repeating: 0, count: 15) + [0, 0, 0, times, types, 4].flatMap { number($0, 4) }
    }
    let types = number(-3600, 4) + [0, 0] + number(7200, 4) + [1, 0] + Array("AAA\0".utf8)
    let first = header(1, 2) + number(946_684_800, 4) + [1] + types
    return first + header(1, 2) + number(946_684_800, 8) + [1] + types + Array("\n\(rule)\n".utf8)
  }

  private static func seconds(_ text: String) throws -> Int { try #require(CalendarTime.parse(text)) }

  @Test func `clocks are as the file says, and behind it as its rule does`() throws {
    let zone = try #require(TimeZone(name: "x", Self.file("CET-1CEST,M3.5.0,M10.5.0/3")))
    for (time, hours) in [
      ("1999-12-31T23:59:59Z", -1), ("2000-01-01", 1), ("2000-07-01", 2), ("2026-03-29T00:59:59Z", 1),
      ("2026-03-29T01:00:00Z", 2), ("2026-10-25T00:59:59Z", 2), ("2026-10-25T01:00:00Z", 1),
      ("2100-03-28T01:00:00Z", 2),
    ] { #expect(zone.offset(at: try Self.seconds(time)) == hours * 3600, "\(time)") }
  }

  @Test(arguments: [
    ("<+0330>-3:30", "2026-07-01", 12_600), ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -18_000),
    ("EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -14_400),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01", 39_600), ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01", 36_000),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-01", 0), ("EET-2EEST,M3.4.4/50,M10.4.4/50", "2026-06-01", 10_800),
  ])
  func `rules of every form are read`(rule: String, time: String, offset: Int) throws {
    let zone = try #require(TimeZone(name: "x", Self.file(rule)))
    #expect(zone.offset(at: try Self.seconds(time)) == offset)
  }

  @Test func `a day ends at midnight there, also when it is longer or shorter`() throws {
    let zone = try #require(TimeZone(name: "x", Self.file("CET-1CEST,M3.5.0,M10.5.0/3")))
    for (time, end) in [
      ("2026-11-24T22:59:59Z", "2026-11-24T23:00:00Z"), ("2026-11-24T23:00:00Z", "2026-11-25T23:00:00Z"),
      ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"), ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
    ] {
      let found = zone.end(ofPeriodOf: try Self.seconds(time), CalendarTime.endOfDay)
      #expect(CalendarTime.text(found) == end, "\(time)")
    }
    let month = zone.end(ofPeriodOf: try Self.seconds("2026-06-30T22:30:00Z"), CalendarTime.endOfMonth)
    #expect(CalendarTime.text(month) == "2026-07-31T22:00:00Z")
  }

  @Test func `a file that is cut or changed anywhere breaks nothing`() {
    let file = Self.file("CET-1CEST,M3.5.0,M10.5.0/3")
    for count in file.indices { _ = TimeZone(name: "x", Array(file[..<count]))?.offset(at: 1_700_000_000) }
    for place in file.indices {
      for byte in [0, 1, 0x7f, 0xff] as [UInt8] {
        var other = file
        other[place] = byte
        _ = TimeZone(name: "x", other)?.offset(at: 1_700_000_000)
      }
    }
    #expect(TimeZone(name: "x", []) == nil && TimeZone(name: "x", Array("TZif".utf8)) == nil)
  }

  @Test(.enabled(if: (try? TimeZone.read("/usr/share/zoneinfo/UTC")) != nil, "the package tzdata is not installed"))
  func `this machine's files are read`() throws {
    for (name, time, offset) in [
      ("Europe/Zurich", "2026-07-01", 7200), ("America/New_York", "2026-01-01", -18_000),
      ("Asia/Kolkata", "2026-01-01", 19_800), ("Europe/Zurich", "1970-01-01", 3600), ("UTC", "2026-01-01", 0),
    ] {
      let bytes = try TimeZone.read("/usr/share/zoneinfo/\(name)")
      #expect(try #require(TimeZone(name: name, bytes)).offset(at: try Self.seconds(time)) == offset, "\(name)")
    }
  }
}
