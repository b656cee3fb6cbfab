import Kernel

/// Takes a stream of `application/vnd.amazon.eventstream` apart, however it is cut into reads.
///
/// A message is its length, that of its headers, a CRC of both, headers, payload, and a CRC of all of it. Pull-style:
/// `next` goes through octets that arrived, and stops behind a message. Lengths are checked before anything is kept.
/// (https://smithy.io/2.0/aws/amazon-eventstream.html)
public struct BinaryEvents: ~Copyable {
  /// The octets are no such stream.
  public struct Malformed: Error, Equatable { public init() {} }

  private var message = ByteBuffer(capacity: 0)
  private var length = 0
  private var isComplete = false
  /// `:event-type`, or `:exception-type` of a message that says what went wrong.
  public private(set) var eventName = ""
  public private(set) var eventData: [UInt8] = []

  /// The longest message.
  private let limit: Int

  public init(limit: Int = 16 << 20) { self.limit = limit }

  /// Goes on from `position` to behind the end of a message; false when there is none.
  public mutating func next(_ bytes: Span<UInt8>, at position: inout Int) throws(Malformed) -> Bool {
    if isComplete {
      isComplete = false
      message.removeAll()
      length = 0
    }
    while position < bytes.count {
      let wanted = length == 0 ? Self.preludeLength : length
      let taken = min(wanted - message.count, bytes.count - position)
      message.append(bytes.extracting(position..<position + taken))
      position += taken
      if message.count < wanted { return false }
      if length == 0 {
        length = try Self.checkPrelude(message.span, limit)
      } else {
        try takeMessage()
        isComplete = true
        return true
      }
    }
    return false
  }

  private static let preludeLength = 12
  /// The prelude and the CRC at the end.
  private static let frameLength = 16
  private static let mostHeaders = 128 << 10

  private static func checkPrelude(_ bytes: Span<UInt8>, _ limit: Int) throws(Malformed) -> Int {
    let (length, headers) = (word(bytes, 0), word(bytes, 4))
    guard length >= frameLength, length <= limit, headers <= mostHeaders, headers <= length - frameLength,
      CRC32.checksum(bytes.extracting(0..<8)) == UInt32(word(bytes, 8))
    else { throw Malformed() }
    return length
  }

  private mutating func takeMessage() throws(Malformed) {
    let (name, payload) = try Self.read(message.span)
    eventName = name
    eventData = Array(copying: message.span.extracting(payload))
  }

  private static func read(_ bytes: Span<UInt8>) throws(Malformed) -> (name: String, payload: Range<Int>) {
    let end = bytes.count - 4
    guard CRC32.checksum(bytes.extracting(0..<end)) == UInt32(word(bytes, end)) else { throw Malformed() }
    let headersEnd = preludeLength + word(bytes, 4)
    var position = preludeLength
    var name = ""
    while position < headersEnd {
      let (key, value) = try header(bytes, &position, headersEnd)
      if key == ":event-type" || key == ":exception-type" || key == ":error-code" { name = value }
      // An error without a type of its own is still one.
      if key == ":message-type", value != "event", name.isEmpty { name = "internalServerException" }
    }
    return (name, headersEnd..<end)
  }

  /// One header; values that are no text are passed over.
  private static func header(
    _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int
  ) throws(Malformed) -> (key: String, value: String) {
    let keyStart = position + 1
    let keyEnd = keyStart + Int(bytes[position])
    guard keyEnd < end else { throw Malformed() }
    var valueStart = keyEnd + 1
    var length = 0
    switch bytes[keyEnd] {
    case 0, 1: break
    case 2: length = 1
    case 3: length = 2
    case 4: length = 4
    case 5, 8: length = 8
    case 9: length = 16
    case 6, 7:
      valueStart += 2
      guard valueStart <= end else { throw Malformed() }
      length = Int(bytes[valueStart - 2]) << 8 | Int(bytes[valueStart - 1])
    default: throw Malformed()
    }
    guard valueStart + length <= end else { throw Malformed() }
    position = valueStart + length
    let value = bytes[keyEnd] == 7 ? text(bytes, valueStart..<position) : ""
    return (text(bytes, keyStart..<keyEnd), value)
  }

  private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
    String(decoding: range.map { bytes[$0] }, as: UTF8.self)
  }

  private static func word(_ bytes: Span<UInt8>, _ start: Int) -> Int {
    Int(bytes[start]) << 24 | Int(bytes[start + 1]) << 16 | Int(bytes[start + 2]) << 8 | Int(bytes[start + 3])
  }
}

/// CRC-32 as in gzip (RFC 1952 §8).
enum CRC32 {
  static func checksum(_ bytes: Span<UInt8>) -> UInt32 {
    var value = UInt32.max
    for index in bytes.indices { value = table[Int((value ^ UInt32(bytes[index])) & 0xFF)] ^ value >> 8 }
    return ~value
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
  }
}
