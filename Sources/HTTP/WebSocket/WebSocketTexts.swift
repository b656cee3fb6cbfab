/// Reads the text messages of one direction of a WebSocket (RFC 6455 §5) whose frames are not masked, while they pass.
///
/// What is longer than a bound, binary or of an extension is passed over. Octets that are no frames end the reading.
public struct WebSocketTexts: Sendable {
  private let longest: Int
  private var header: [UInt8] = []
  private var remaining = 0
  private var isFinal = false
  private var isLost = false
  /// The message at hand; nil: it is not read.
  private var message: [UInt8]?
  /// Whether the frame at hand is of a message, and not about the connection.
  private var isData = false

  public init(longest: Int) { self.longest = longest }

  /// Takes octets in the order in which they came, and shows each message that ends in them.
  public mutating func take(_ bytes: Span<UInt8>, _ body: ([UInt8]) -> Void) {
    var index = 0
    while index < bytes.count, !isLost {
      if remaining > 0 {
        let end = index + min(remaining, bytes.count - index)
        if isData, message != nil { keep(bytes.extracting(index..<end)) }
        remaining -= end - index
        index = end
      } else {
        header.append(bytes[index])
        index += 1
        guard readHeader() else { continue }
      }
      if remaining == 0, header.isEmpty, isData, isFinal, !isLost {
        if let message { body(message) }
        message = nil
      }
    }
  }

  private mutating func keep(_ piece: Span<UInt8>) {
    guard let count = message?.count, count + piece.count <= longest else { return message = nil }
    for index in piece.indices { message?.append(piece[index]) }
  }

  /// Whether the header is complete.
  private mutating func readHeader() -> Bool {
    guard header.count >= 2 else { return false }
    let short = Int(header[1] & 0x7F)
    let length = short == 126 ? 4 : short == 127 ? 10 : 2
    guard header.count == length else { return false }
    var count = short < 126 ? short : 0
    if short >= 126 {
      // The highest bit of eight octets must be 0.
      if header[2] & 0x80 != 0, short == 127 { isLost = true }
      for byte in header[2...] where !isLost { count = count << 8 | Int(byte) }
    }
    let opcode = header[0] & 0x0F
    if header[1] & 0x80 != 0 { isLost = true }
    isData = opcode < 3
    if isData {
      isFinal = header[0] & 0x80 != 0
      if opcode == 1 { message = header[0] & 0x70 == 0 ? [] : nil }
      if opcode == 2 { message = nil }
    }
    header.removeAll(keepingCapacity: true)
    remaining = count
    return true
  }
}
