import Kernel

/// What a `traceparent` field says (W3C Trace Context level 1, §3.2).
struct TraceParent: Equatable {
  var traceHigh: UInt64
  var traceLow: UInt64
  var parent: UInt64
  var isSampled: Bool

  init(traceHigh: UInt64, traceLow: UInt64, parent: UInt64, isSampled: Bool) {
    self.traceHigh = traceHigh
    self.traceLow = traceLow
    self.parent = parent
    self.isSampled = isSampled
  }

  /// Nil when the value is not valid: then a trace begins anew.
  ///
  /// A later version is read as far as this one goes; it may have more behind another dash.
  init?(_ value: Span<UInt8>) {
    let dash = UInt8(ascii: "-")
    guard value.count >= 55, value[2] == dash, value[35] == dash, value[52] == dash,
      let version = Self.hexadecimal(value, 0..<2), version != 0xff,
      value.count == 55 || (version > 0 && value[55] == dash),
      let traceHigh = Self.hexadecimal(value, 3..<19), let traceLow = Self.hexadecimal(value, 19..<35),
      let parent = Self.hexadecimal(value, 36..<52), let flags = Self.hexadecimal(value, 53..<55),
      traceHigh | traceLow != 0, parent != 0
    else { return nil }
    self.init(traceHigh: traceHigh, traceLow: traceLow, parent: parent, isSampled: flags & 1 != 0)
  }

  /// In lower case, as the specification asks.
  private static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64? {
    var value: UInt64 = 0
    for index in range {
      switch bytes[index] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(bytes[index] - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(bytes[index] - UInt8(ascii: "a") + 10)
      default: return nil
      }
    }
    return value
  }
}

/// Whether what `tracestate` fields say is valid (§3.3); what is not is dropped, and the trace goes on without it.
struct TraceState {
  private var members = 0
  /// Where the keys stand that were seen, to find one that stands twice.
  private var keys: [[UInt8]] = []
  private(set) var isValid = true

  static let mostMembers = 32

  init() {}

  /// Looks at one field; several count as one list.
  mutating func add(_ value: Span<UInt8>) {
    var start = 0
    while start <= value.count {
      var end = start
      while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
      addMember(value.extracting(start..<end))
      start = end + 1
    }
  }

  private mutating func addMember(_ text: Span<UInt8>) {
    var (start, end) = (0, text.count)
    while start < end, Self.isSpace(text[start]) { start += 1 }
    while end > start, Self.isSpace(text[end - 1]) { end -= 1 }
    // An empty member is allowed, and counts nothing.
    if start == end { return }
    members += 1
    var equals = start
    while equals < end, text[equals] != UInt8(ascii: "=") { equals += 1 }
    guard members <= Self.mostMembers, equals < end, Self.isKey(text.extracting(start..<equals)),
      Self.isValue(text.extracting(equals + 1..<end))
    else { return isValid = false }
    let key = (start..<equals).map { text[$0] }
    if keys.contains(key) { isValid = false }
    keys.append(key)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 9 }

  /// `simple-key`, or `tenant@system`.
  private static func isKey(_ key: Span<UInt8>) -> Bool {
    guard !key.isEmpty, key.count <= 256 else { return false }
    var at: Int?
    for index in key.indices {
      switch key[index] {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
        UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"):
        break
      case UInt8(ascii: "@") where at == nil: at = index
      default: return false
      }
    }
    guard let at else { return isLetter(key[0]) }
    return at > 0 && at <= 241 && (isLetter(key[0]) || isDigit(key[0])) && at + 1 < key.count
      && key.count - at - 1 <= 14
      && isLetter(key[at + 1])
  }

  private static func isLetter(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "a") < 26 }
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  private static func isValue(_ value: Span<UInt8>) -> Bool {
    guard !value.isEmpty, value.count <= 256 else { return false }
    for index in value.indices {
      let byte = value[index]
      if byte < 0x20 || byte > 0x7e || byte == UInt8(ascii: "=") { return false }
    }
    return true
  }
}
