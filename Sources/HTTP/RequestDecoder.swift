import Kernel

/// Decodes request heads (RFC 9112 §2 to §6), strictly: what two parsers could read differently is an error.
///
/// It owns no bytes. The caller shows the same buffer again with more bytes behind, and the decoder goes on at the
/// first line that was incomplete.
public struct RequestDecoder: Sendable {
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
  /// - Parameter bytes: all bytes since the message's start; later calls only append.
  /// - Returns: true when `head` is complete; it then took `head.length` bytes, and the decoder is ready for the next.
  public mutating func decode(_ bytes: Span<UInt8>, into head: inout RequestHead) throws(HTTPError) -> Bool {
    let window = bytes.count > limits.head ? bytes.extracting(0..<limits.head) : bytes
    if !isInFields {
      head.reset()
      guard let lineEnd = try decodeRequestLine(window, into: &head) else { return try wait(bytes) }
      position = lineEnd
      isInFields = true
    }
    if try !head.headers.decodeLines(window, at: &position, limit: limits.headers, isPiecewise: isPiecewise) {
      return try wait(bytes)
    }
    head.length = position
    try head.interpret(window)
    reset()
    return true
  }

  private func wait(_ bytes: Span<UInt8>) throws(HTTPError) -> Bool {
    if bytes.count >= limits.head { throw .headTooLarge }
    return false
  }

  /// Decodes `method SP target SP version CRLF`, behind at most one empty line (RFC 9112 §2.2).
  private func decodeRequestLine(_ bytes: Span<UInt8>, into head: inout RequestHead) throws(HTTPError) -> Int? {
    if !isPiecewise, let line = RequestLine(in: bytes, at: 0), head.take(line, limit: limits.target) { return line.end }
    var start = 0
    if bytes.isEmpty { return nil }
    if bytes[0] == HeaderBlock.cr {
      if bytes.count == 1 { return nil }
      if bytes[1] != HeaderBlock.lf { throw .bareCarriageReturn }
      start = 2
    }
    let methodEnd = ByteScan.endOfToken(in: bytes, from: start)
    if methodEnd &- start > HTTPLimits.method { throw .methodTooLong }
    if methodEnd >= bytes.count { return nil }
    if bytes[methodEnd] != 0x20 || methodEnd == start { throw Self.mistake(bytes[methodEnd]) }
    head.method = Method(bytes.extracting(start..<methodEnd))
    head.methodRange = ByteRange(start..<methodEnd)
    guard let targetEnd = try head.decodeTarget(bytes, from: methodEnd &+ 1, limit: limits.target) else { return nil }
    guard let version = try HTTPVersion.decode(bytes, at: targetEnd &+ 1) else { return nil }
    // Only now: the preface of HTTP/2 has the form of OPTIONS, but its version is what must be said.
    if !head.methodAllowsForm { throw .invalidTarget }
    head.minorVersion = version
    return try HTTPVersion.endOfLine(bytes, at: targetEnd &+ 9, else: .invalidVersion)
  }

  private static func mistake(_ byte: UInt8) -> HTTPError {
    switch byte {
    case 0: .nulByte
    case HeaderBlock.lf: .bareLineFeed
    default: .invalidRequestLine
    }
  }
}

/// The version of a start line (RFC 9112 §2.3), of which Sluice speaks 1.0 and 1.1.
enum HTTPVersion {
  static let length = 8

  /// The minor version that stands at `start`; nil when more bytes are needed.
  @inline(__always)
  static func decode(_ bytes: Span<UInt8>, at start: Int) throws(HTTPError) -> UInt8? {
    let word = ByteScan.word(in: bytes, at: start)
    if word == ByteScan.word(in: ByteScan.bytes(of: "HTTP/1.1")) { return 1 }
    if word == ByteScan.word(in: ByteScan.bytes(of: "HTTP/1.0")) { return 0 }
    return try refuse(bytes, at: start)
  }

  /// Tells a version that is not ours from none, and both from one that is still coming.
  private static func refuse(_ bytes: Span<UInt8>, at start: Int) throws(HTTPError) -> UInt8? {
    let pattern = ByteScan.bytes(of: "HTTP/0.0")
    var index = 0
    while index < length, start + index < bytes.count {
      let byte = bytes[start + index]
      let matches = pattern[index] == 0x30 ? byte &- 0x30 <= 9 : byte == pattern[index]
      if !matches { throw .invalidVersion }
      index += 1
    }
    if index < length { return nil }
    throw .unsupportedVersion
  }

  /// Where the line ends whose CRLF must stand at `start`; nil when more bytes are needed.
  @inline(__always)
  static func endOfLine(_ bytes: Span<UInt8>, at start: Int, else error: HTTPError) throws(HTTPError) -> Int? {
    if start >= bytes.count { return nil }
    if bytes[start] != HeaderBlock.cr {
      throw bytes[start] == HeaderBlock.lf ? .bareLineFeed : bytes[start] == 0 ? .nulByte : error
    }
    if start &+ 1 >= bytes.count { return nil }
    if bytes[start &+ 1] != HeaderBlock.lf { throw .bareCarriageReturn }
    return start &+ 2
  }
}
