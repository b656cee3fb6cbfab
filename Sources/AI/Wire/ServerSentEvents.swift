public import Kernel

/// Takes a stream of server-sent events apart (HTML, server-sent events §9.2.6), however it is cut into reads.
///
/// Lines end with LF, CRLF or CR. Pull-style: `next` goes through octets that arrived, and stops behind an event.
public struct ServerSentEvents: ~Copyable {
  public struct TooLong: Error, Equatable { public init() {} }

  // Without memory at first: of most answers it is not known at the beginning whether they are streams.
  private var line = ByteBuffer(capacity: 0)
  private var name = ByteBuffer(capacity: 0)
  private var data = ByteBuffer(capacity: 0)
  /// The octets of the event as they came.
  private var raw = ByteBuffer(capacity: 0)
  private var hasData = false
  private var isBehindReturn = false
  private var isComplete = false
  private var isFirstLine = true

  /// The longest event.
  private let limit: Int

  public init(limit: Int = 16 << 20) { self.limit = limit }

  /// Goes on from `position` to behind the end of an event; false when there is none.
  ///
  /// A block without data, such as a comment, is an event for this reader: its `eventData` is empty.
  public mutating func next(_ bytes: Span<UInt8>, at position: inout Int) throws(TooLong) -> Bool {
    if isComplete { beginEvent() }
    while position < bytes.count {
      let byte = bytes[position]
      if isBehindReturn {
        isBehindReturn = false
        if byte == UInt8(ascii: "\n") {
          raw.append(byte)
          position += 1
          continue
        }
      }
      let end = endOfLine(bytes, from: position)
      line.append(bytes.extracting(position..<end))
      raw.append(bytes.extracting(position..<min(end + 1, bytes.count)))
      if raw.count > limit { throw TooLong() }
      position = end
      if end == bytes.count { return false }
      position += 1
      isBehindReturn = bytes[end] == UInt8(ascii: "\r")
      if try endLine() {
        // The LF of a CRLF belongs to this event.
        if isBehindReturn, position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
          raw.append(bytes[position])
          position += 1
          isBehindReturn = false
        }
        isComplete = true
        return true
      }
    }
    return false
  }

  /// The data of the event behind which `next` stopped.
  public var eventData: [UInt8] { Array(copying: data.span) }

  /// What an event says that differs from another in its text alone; nil of any other.
  func readEvent(as template: borrowing EventTemplate) -> Event? { template.read(data.span) }

  public var eventName: String { String(decoding: Array(copying: name.span), as: UTF8.self) }

  /// Appends the event as it came.
  public func appendRaw(to out: inout ByteBuffer) { out.append(raw.span) }

  /// Appends the event as it came, but for a `usage` that is null: servers say that in each event of a stream whose usage is
  /// asked for, and the client did not ask. No text can look like that member: its quotes would be escaped.
  /// - Returns: whether there was one.
  func appendRawWithoutUsage(to out: inout ByteBuffer) -> Bool {
    let bytes = raw.span
    var comma = ByteScan.index(of: UInt8(ascii: ","), in: bytes, from: 0)
    while comma < bytes.count {
      if let end = Self.nullUsage(bytes, behind: comma) {
        out.append(bytes.extracting(0..<comma))
        out.append(bytes.extracting(end..<bytes.count))
        return true
      }
      comma = ByteScan.index(of: UInt8(ascii: ","), in: bytes, from: comma + 1)
    }
    appendRaw(to: &out)
    return false
  }

  /// Where the member ends, if it stands behind this comma.
  private static func nullUsage(_ bytes: Span<UInt8>, behind comma: Int) -> Int? {
    var position = comma + 1
    for word: StaticString in ["\"usage\":", "null"] {
      if position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
      let end = position + word.utf8CodeUnitCount
      guard end <= bytes.count, ByteScan.equal(bytes.extracting(position..<end), ByteScan.bytes(of: word)) else {
        return nil
      }
      position = end
    }
    return position
  }

  /// Appends what came behind the last event, if it is no more than the end of a line.
  func appendRest(to out: inout ByteBuffer) {
    if !isComplete, raw.count == 1, line.isEmpty, !hasData { appendRaw(to: &out) }
  }

  private mutating func beginEvent() {
    isComplete = false
    hasData = false
    name.removeAll()
    data.removeAll()
    raw.removeAll()
  }

  private func endOfLine(_ bytes: Span<UInt8>, from start: Int) -> Int {
    let feed = ByteScan.index(of: UInt8(ascii: "\n"), in: bytes, from: start)
    return ByteScan.index(of: UInt8(ascii: "\r"), in: bytes.extracting(0..<feed), from: start)
  }

  /// Takes a line; whether it was the empty one that ends an event.
  private mutating func endLine() throws(TooLong) -> Bool {
    defer {
      line.removeAll()
      isFirstLine = false
    }
    if isFirstLine { dropByteOrderMark() }
    if line.isEmpty { return true }
    Self.take(line, &name, &data, &hasData)
    return false
  }

  /// Takes a field: what stands before the colon, and behind it without one space.
  private static func take(
    _ line: borrowing ByteBuffer, _ name: inout ByteBuffer, _ data: inout ByteBuffer, _ hasData: inout Bool
  ) {
    let bytes = line.span
    let colon = ByteScan.index(of: UInt8(ascii: ":"), in: bytes)
    let field = bytes.extracting(0..<colon)
    var value = min(colon + 1, bytes.count)
    if value < bytes.count, bytes[value] == 0x20 { value += 1 }
    if ByteScan.equal(field, ByteScan.bytes(of: "data")) {
      if hasData { data.append(UInt8(ascii: "\n")) }
      hasData = true
      data.append(bytes.extracting(value..<bytes.count))
    } else if ByteScan.equal(field, ByteScan.bytes(of: "event")) {
      name.removeAll()
      name.append(bytes.extracting(value..<bytes.count))
    }
  }

  private mutating func dropByteOrderMark() {
    guard line.count >= 3, line.span[0] == 0xEF, line.span[1] == 0xBB, line.span[2] == 0xBF else { return }
    line.removeFirst(3)
  }
}
