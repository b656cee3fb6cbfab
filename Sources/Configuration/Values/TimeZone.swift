import Kernel

/// A zone of the IANA database: how far its clocks are from UTC at any time (RFC 8536).
///
/// Read from the files that every system has for its clock, so that days end where people say they do, whatever zone the
/// machine itself is in.
public struct TimeZone: Sendable, Equatable {
  public let name: String
  private var transitions: [Transition] = []
  /// Seconds east of UTC before the first transition.
  private var first = 0
  /// What holds behind the last one.
  private var rule: TimeZoneRule?

  private struct Transition: Sendable, Equatable {
    var at: Int
    var offset: Int
  }

  public static let utc = TimeZone(name: "UTC")

  private init(name: String) { self.name = name }

  /// Seconds east of UTC at a moment in seconds since 1970.
  public func offset(at seconds: Int) -> Int {
    if let rule, seconds >= transitions.last?.at ?? .min { return rule.offset(at: seconds) }
    var (low, high) = (0, transitions.count)
    while low < high {
      let middle = (low + high) / 2
      if transitions[middle].at <= seconds { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? first : transitions[low - 1].offset
  }

  /// When the day, or what `end` says of local time, is over in which a moment lies; both in seconds since 1970.
  public func end(ofPeriodOf seconds: Int, _ end: (Int) -> Int) -> Int {
    let offset = offset(at: seconds)
    let local = end(seconds + offset)
    let moment = local - self.offset(at: local - offset)
    return moment > seconds ? moment : local - offset
  }

  // MARK: The file

  /// Nil for what is no file of that kind.
  ///
  /// - Parameter bytes: of a TZif file of version 2 or later.
  public init?(name: String, _ bytes: [UInt8]) {
    self.name = name
    guard let old = Header(bytes, at: 0), let header = Header(bytes, at: 44 + old.size(ofTime: 4)) else { return nil }
    let times = header.start
    let kinds = times + header.times * 8
    let types = kinds + header.times
    let footer = header.start + header.size(ofTime: 8)
    guard footer < bytes.count, header.types > 0, bytes[footer] == UInt8(ascii: "\n") else { return nil }
    func offset(_ type: Int) -> Int { Header.number(bytes, at: types + type * 6, octets: 4) }
    first = offset(0)
    for index in 0..<header.times {
      guard bytes[kinds + index] < header.types else { return nil }
      let at = Header.number(bytes, at: times + index * 8, octets: 8)
      transitions.append(Transition(at: at, offset: offset(Int(bytes[kinds + index]))))
    }
    rule = TimeZoneRule(bytes[(footer + 1)...].prefix { $0 != UInt8(ascii: "\n") })
  }

  /// How many there are of each in one of the file's two blocks.
  private struct Header {
    let start: Int
    let times: Int
    let types: Int
    private let rest: (utc: Int, standard: Int, leaps: Int, characters: Int)

    init?(_ bytes: [UInt8], at place: Int) {
      guard place >= 0, place + 44 <= bytes.count, bytes[place...].starts(with: "TZif".utf8),
        bytes[place + 4] >= UInt8(ascii: "2")
      else { return nil }
      let counts = (0..<6).map { Self.number(bytes, at: place + 20 + 4 * $0, octets: 4) }
      guard counts.allSatisfy({ 0...(1 << 16) ~= $0 }) else { return nil }
      rest = (counts[0], counts[1], counts[2], counts[5])
      (times, types) = (counts[3], counts[4])
      start = place + 44
    }

    func size(ofTime octets: Int) -> Int {
      times * (octets + 1) + types * 6 + rest.characters + rest.leaps * (octets + 4) + rest.standard + rest.utc
    }

    /// A signed number in network order.
    static func number(_ bytes: [UInt8], at place: Int, octets: Int) -> Int {
      let bits = bytes[place..<place + octets].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      return octets == 4 ? Int(Int32(truncatingIfNeeded: bits)) : Int(bitPattern: UInt(bits))
    }
  }
}

extension ValueType where Value == TimeZone {
  /// A name of the IANA database, looked up in this machine's files.
  public static var timeZone: ValueType {
    scalar(
      ScalarShape(
        "time zone", expectation: "a name of the IANA time zone database such as Europe/Zurich",
        schema: [("type", .string("string"))]),
      text: \.name
    ) { text throws(ScalarMistake) in
      if text == TimeZone.utc.name { return .utc }
      let parts = text.split(separator: "/", omittingEmptySubsequences: false)
      let isName = parts.allSatisfy { part in
        !part.isEmpty && part.utf8.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || "_+-".utf8.contains($0) }
      }
      guard isName else { throw .malformed }
      let path = "/usr/share/zoneinfo/\(text)"
      guard let bytes = try? TimeZone.read(path), let zone = TimeZone(name: text, bytes) else {
        throw .other(
          "this machine knows no time zone `\(text)`: there is no \(path)",
          expected: "a name such as Europe/Zurich, and Debian's package tzdata")
      }
      return zone
    }
  }
}

extension TimeZone {
  private static let largestFile = 1 << 18

  static func read(_ path: String) throws(Errno) -> [UInt8] {
    let file = try File(path, .read)
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count <= largestFile {
      var room = block.mutableSpan
      let count = try file.read(into: &room)
      if count == 0 { break }
      bytes += block[..<count]
    }
    return bytes
  }
}
