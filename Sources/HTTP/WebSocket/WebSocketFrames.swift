public import Kernel

/// Follows one direction of a WebSocket from frame to frame (RFC 6455 §5.2), without holding any of it.
///
/// Only headers are read, and of a close frame the two bytes of its code; everything else is passed over. Octets that
/// are no frames end the following, not the conversation: the two sides know better.
public struct WebSocketFrames: Sendable {
  /// The code of the close frame that went by; nil when none has, or when it had none.
  public private(set) var closeCode: Int?
  /// Whether a close frame has gone by.
  public private(set) var isClosed = false
  private var isLost = false
  /// Bytes of the header that are here, and how many it has in all.
  private var headerCount = 0
  private var headerLength = 2
  private var payload: UInt64 = 0
  private var isClose = false
  private var isMasked = false
  /// The last bytes of the header, the mask among them.
  private var mask: UInt32 = 0
  /// Payload still to come of the frame at hand.
  private var remaining: UInt64 = 0
  private var codeBytes = 0
  private var code = 0

  public init() {}

  /// Whether the next octet begins a frame, so that one of ours may stand before it.
  public var isBetweenFrames: Bool { !isLost && !isClosed && headerCount == 0 && remaining == 0 }

  /// Passes over octets in the order in which they came.
  public mutating func pass(_ bytes: Span<UInt8>) {
    var index = 0
    while index < bytes.count, !isLost, !isClosed || remaining > 0 {
      if remaining > 0 {
        let count = min(remaining, UInt64(bytes.count - index))
        if isClose { readCode(bytes.extracting(index..<index + Int(count))) }
        remaining -= count
        index += Int(count)
        if remaining == 0, isClose { isClosed = true }
      } else {
        takeHeader(bytes[index])
        index += 1
      }
    }
  }

  private mutating func takeHeader(_ byte: UInt8) {
    headerCount += 1
    switch headerCount {
    case 1:
      isClose = byte & 0x0f == 8
      // Opcodes that nobody has defined: these are no frames, or of an extension that is not known here.
      if byte & 0x0f > 10 || byte & 0x0f > 2 && byte & 0x0f < 8 { isLost = true }
    case 2:
      isMasked = byte & 0x80 != 0
      payload = UInt64(byte & 0x7f)
      headerLength = 2 + (payload == 126 ? 2 : payload == 127 ? 8 : 0) + (isMasked ? 4 : 0)
      if payload > 125 { payload = 0 }
      if isClose, byte & 0x7f > 125 { isLost = true }
    default:
      if headerCount > headerLength - (isMasked ? 4 : 0) {
        mask = mask << 8 | UInt32(byte)
      } else {
        payload = payload << 8 | UInt64(byte)
      }
    }
    guard headerCount >= 2, headerCount == headerLength else { return }
    remaining = payload
    headerCount = 0
    headerLength = 2
    codeBytes = 0
    code = 0
    if isClose, remaining == 0 { isClosed = true }
  }

  private mutating func readCode(_ bytes: Span<UInt8>) {
    var index = 0
    while index < bytes.count, codeBytes < 2 {
      let key = isMasked ? UInt8(truncatingIfNeeded: mask >> UInt32(24 - 8 * codeBytes)) : 0
      code = code << 8 | Int(bytes[index] ^ key)
      codeBytes += 1
      index += 1
    }
    if codeBytes == 2 { closeCode = code }
  }

  /// Appends a close frame with a code; masked, as a client's must be, when there is a key (RFC 6455 §5.3).
  public static func appendClose(_ code: Int, mask: UInt32?, to out: inout ByteBuffer) {
    out.append(0x88)
    out.append(mask == nil ? 2 : 0x82)
    let key = mask ?? 0
    if mask != nil {
      for index in 0..<4 as Range<UInt32> { out.append(octet(key, 24 - 8 * index)) }
    }
    out.append(UInt8(truncatingIfNeeded: code >> 8) ^ octet(key, 24))
    out.append(UInt8(truncatingIfNeeded: code) ^ octet(key, 16))
  }

  /// Appends a text in one frame, as a server sends it.
  ///
  /// - Parameter text: UTF-8, at most 65,535 octets.
  public static func appendText(_ text: [UInt8], to out: inout ByteBuffer) {
    precondition(text.count <= Int(UInt16.max))
    out.append(0x81)
    if text.count < 126 {
      out.append(UInt8(text.count))
    } else {
      out.append(126)
      out.append(UInt8(truncatingIfNeeded: text.count >> 8))
      out.append(UInt8(truncatingIfNeeded: text.count))
    }
    out.append(text.span)
  }

  private static func octet(_ word: UInt32, _ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: word >> shift) }
}
