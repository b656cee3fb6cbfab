public import Kernel

/// The opening handshake of a WebSocket (RFC 6455 §4), as an intermediary sees it.
///
/// Sluice takes no part in the conversation, but it opens a tunnel only for a handshake that both sides made: a
/// server that believes in one that the client never asked for would be talked into reading smuggled requests.
public enum WebSocketHandshake {
  /// What is wrong with a client's part (RFC 6455 §4.2.1).
  public enum Mistake: Error, Sendable, Equatable {
    /// No GET, a body, or no key of 16 bytes.
    case malformed
    /// A version other than 13: the answer says which one there is.
    case version
  }

  /// The only version that there is.
  public static let version: StaticString = "13"

  /// The fields that ask for the protocol, or agree to it, on one connection.
  public static let fields: StaticString = "Connection: Upgrade\r\nUpgrade: websocket\r\n"

  /// Appends what a request in HTTP/1.1 says to ask for the protocol, but for its version.
  ///
  /// - Parameter key: 16 random octets.
  public static func appendRequest(key: (UInt64, UInt64), to out: inout ByteBuffer) {
    var octets = ByteBuffer(capacity: 16)
    for shift in stride(from: 56, through: 0, by: -8) { octets.append(UInt8(truncatingIfNeeded: key.0 >> shift)) }
    for shift in stride(from: 56, through: 0, by: -8) { octets.append(UInt8(truncatingIfNeeded: key.1 >> shift)) }
    out.append(fields)
    out.append("Sec-WebSocket-Key: ")
    Base64.append(octets.span, to: &out)
    out.append("\r\n")
  }

  /// Appends what an answer in HTTP/1.1 says to agree to it.
  public static func appendAnswer(to key: Span<UInt8>, to out: inout ByteBuffer) {
    out.append(fields)
    out.append("Sec-WebSocket-Accept: ")
    appendAccept(for: key, to: &out)
    out.append("\r\n")
  }

  /// Keeps the key of a request that asks; false when it has none, or several.
  public static func takeKey(of head: borrowing RequestHead, _ source: Span<UInt8>, into out: inout ByteBuffer) -> Bool
  {
    out.removeAll()
    guard let key = only(keyField, of: head.headers, source) else { return false }
    out.append(key)
    return true
  }

  /// Whether a request asks for the protocol. One that only names it, without the connection option or in HTTP/1.0,
  /// does not (RFC 9110 §7.8).
  public static func isAsked(by head: borrowing RequestHead, _ source: Span<UInt8>) -> Bool {
    guard head.asksUpgrade else { return false }
    var isNamed = false
    head.headers.forEachValue(of: .upgrade, in: source) { value in
      var start = 0
      while let element = HeaderBlock.nextElement(of: value, from: &start) {
        if isProtocol(element.bytes(in: value)) { isNamed = true }
      }
    }
    return isNamed
  }

  /// Judges a request that asks for the protocol.
  public static func check(_ head: borrowing RequestHead, _ source: Span<UInt8>) throws(Mistake) {
    guard head.method == .get, head.framing == .none else { throw .malformed }
    guard let version = only(versionField, of: head.headers, source),
      ByteScan.equal(version, ByteScan.bytes(of: Self.version))
    else { throw .version }
    guard let key = only(keyField, of: head.headers, source), isKey(key) else { throw .malformed }
  }

  /// Whether a 101 is the right answer to `request` (RFC 6455 §4.1): the protocol that was asked for, and the hash of
  /// the key, without which it may be an answer out of a cache or to somebody else.
  public static func isAccepted(
    by response: borrowing ResponseHead, _ source: Span<UInt8>, asked request: borrowing RequestHead,
    _ requestSource: Span<UInt8>
  ) -> Bool {
    guard response.status == 101, response.agreesToUpgrade,
      let name = only(upgradeField, of: response.headers, source), isProtocol(name),
      let accepted = only(acceptField, of: response.headers, source),
      let key = only(keyField, of: request.headers, requestSource)
    else { return false }
    var expected = ByteBuffer(capacity: 32)
    appendAccept(for: key, to: &expected)
    return ByteScan.equal(accepted, expected.span)
  }

  /// Appends the `Sec-WebSocket-Accept` that answers a key.
  public static func appendAccept(for key: Span<UInt8>, to out: inout ByteBuffer) {
    var text = ByteBuffer(capacity: 64)
    text.append(key)
    text.append("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    var digest = ByteBuffer(capacity: 20)
    SHA1.append(of: text.span, to: &digest)
    Base64.append(digest.span, to: &out)
  }

  public static let keyField: StaticString = "Sec-WebSocket-Key"
  static let versionField: StaticString = "Sec-WebSocket-Version"
  public static let acceptField: StaticString = "Sec-WebSocket-Accept"
  static let upgradeField: StaticString = "Upgrade"

  private static func isProtocol(_ name: Span<UInt8>) -> Bool {
    ByteScan.equalIgnoringCase(name, ByteScan.bytes(of: "websocket"))
  }

  /// The base64 form of 16 bytes.
  private static func isKey(_ text: Span<UInt8>) -> Bool {
    guard text.count == 24, text[22] == UInt8(ascii: "="), text[23] == UInt8(ascii: "=") else { return false }
    for index in 0..<22 where Base64.value(of: text[index]) == nil { return false }
    return true
  }

  /// The value of a field that occurs once.
  @_lifetime(borrow headers, copy source)
  private static func only(
    _ name: StaticString, of headers: borrowing HeaderBlock, _ source: Span<UInt8>
  ) -> Span<UInt8>? {
    let bytes = ByteScan.bytes(of: name)
    var count = 0
    headers.forEachValue(named: bytes, in: source) { _ in count += 1 }
    return count == 1 ? headers.value(named: bytes, in: source) : nil
  }
}
