import Kernel

/// Decodes response heads (RFC 9112 §4 to §6) as strictly as requests: a lying upstream is found out here.
///
/// It owns no bytes. The caller shows the same buffer again with more bytes behind, and the decoder goes on at the
/// first line that was incomplete.
public struct ResponseDecoder: Sendable {
  private let limits: HTTPLimits
  private let isPiecewise: Bool
  /// The first byte that is not decoded yet.
  private var position = 0
  private var isInFields = false

  /// - Parameter isPiecewise: whether to judge every line piece by piece, without first trying to recognise it as a
  ///   common one. That is slower and gives the same: tests hold one against the other.
  public init(limits: HTTPLimits, isPiecewise: Bool = false) {
    self.limits = limits
    self.isPiecewise = isPiecewise
  }

  /// Makes ready for another message, as a completed one does by itself.
  public mutating func reset() {
    position = 0
    isInFields = false
  }

  /// Decodes the head at the start of `bytes`.
  ///
  /// - Parameters:
  ///   - bytes: all bytes since the message's start; later calls only append.
  ///   - method: the request's method, on which the framing depends.
  ///   - mayUpgrade: whether the request asked for another protocol; a 101 is a mistake otherwise.
  /// - Returns: true when `head` is complete; it then took `head.length` bytes, and the decoder is ready for the next.
  public mutating func decode(
    _ bytes: Span<UInt8>, into head: inout ResponseHead, answering method: Method, mayUpgrade: Bool = false
  ) throws(HTTPError) -> Bool {
    let window = bytes.count > limits.head ? bytes.extracting(0..<limits.head) : bytes
    if !isInFields {
      head.reset()
      guard let lineEnd = try decodeStatusLine(window, into: &head) else { return try wait(bytes) }
      position = lineEnd
      isInFields = true
    }
    if try !head.headers.decodeLines(window, at: &position, limit: limits.headers, isPiecewise: isPiecewise) {
      return try wait(bytes)
    }
    head.length = position
    if head.status == 101, !mayUpgrade { throw .unexpectedUpgrade }
    try head.interpret(window, answering: method)
    reset()
    return true
  }

  private func wait(_ bytes: Span<UInt8>) throws(HTTPError) -> Bool {
    if bytes.count >= limits.head { throw .headTooLarge }
    return false
  }

  /// Decodes `version SP status SP [reason] CRLF`; the second space is not optional.
  private func decodeStatusLine(
    _ bytes: Span<UInt8>, into head: inout ResponseHead
  ) throws(HTTPError) -> Int? {
    if !isPiecewise, let line = StatusLine(in: bytes) {
      head.minorVersion = line.minorVersion
      head.status = line.status
      head.reasonRange = ByteRange(StatusLine.reasonStart..<line.end &- 2)
      return line.end
    }
    guard let version = try HTTPVersion.decode(bytes, at: 0) else { return nil }
    head.minorVersion = version
    var status = 0
    var index = HTTPVersion.length
    while index < HTTPVersion.length + 5 {
      if index >= bytes.count { return nil }
      let byte = bytes[index]
      if index == HTTPVersion.length || index == HTTPVersion.length + 4 {
        if byte != 0x20 { throw byte == HeaderBlock.lf ? .bareLineFeed : byte == 0 ? .nulByte : .invalidStatusLine }
      } else {
        let digit = byte &- 0x30
        if digit > 9 { throw .invalidStatusLine }
        status = status &* 10 &+ Int(digit)
      }
      index &+= 1
    }
    if status < 100 || status > 599 { throw .invalidStatus }
    head.status = status
    let end = ByteScan.endOfFieldValue(in: bytes, from: index)
    head.reasonRange = ByteRange(index..<end)
    return try HTTPVersion.endOfLine(bytes, at: end, else: .invalidStatusLine)
  }
}
