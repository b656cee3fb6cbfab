import Kernel

extension RequestHead {
  /// Finds out what the complete head means: whom it is for, what content follows, whether the connection goes on.
  mutating func interpret(_ bytes: Span<UInt8>) throws(HTTPError) {
    try interpretHost(bytes)
    switch try headers.delimiting(bytes, minorVersion: minorVersion) {
    case .absent: framing = .none
    case .length(let length): framing = length == 0 ? .none : .length(length)
    case .chunked: framing = .chunked
    }
    if framing != .none, method == .trace || method == .connect { throw .contentNotAllowed }
    let options = try headers.connectionOptions(bytes)
    keepAlive = options.persists(minorVersion: minorVersion)
    asksUpgrade = options.upgrade && minorVersion > 0 && headers.present.contains(.upgrade)
    if headers.present.contains(.expect) { try interpretExpect(bytes) }
  }

  /// RFC 9112 §3.2: exactly one Host in HTTP/1.1, at most one in 1.0, and the same as the target's authority, which may
  /// name the port that its scheme has anyway (RFC 9110 §4.2.3).
  private mutating func interpretHost(_ bytes: Span<UInt8>) throws(HTTPError) {
    if headers.repeated.contains(.host) { throw .repeatedHost }
    guard headers.present.contains(.host), let field = headers.fields.first(.host) else {
      if minorVersion > 0 { throw .missingHost }
      return
    }
    let host = ByteRange(start: field.valueStart, length: field.valueLength)
    if !Authority.isValid(host, in: bytes) { throw .invalidHost }
    switch form {
    case .origin, .asterisk: hostRange = host
    case .authority:
      if !ByteScan.equalIgnoringCase(host.bytes(in: bytes), hostRange.bytes(in: bytes)) { throw .hostMismatch }
    case .absolute:
      // `https` is longer by one than `http`, and its port another.
      let isSecure = bytes[Int(targetRange.start) + 4] | 0x20 == UInt8(ascii: "s")
      let port: StaticString = isSecure ? ":443" : ":80"
      let given = Authority.removing(port: port, from: host.bytes(in: bytes))
      let named = Authority.removing(port: port, from: hostRange.bytes(in: bytes))
      if !ByteScan.equalIgnoringCase(given, named) { throw .hostMismatch }
    }
  }

  /// RFC 9110 §10.1.1: the one expectation that exists, which HTTP/1.0 and messages without content cannot have.
  private mutating func interpretExpect(_ bytes: Span<UInt8>) throws(HTTPError) {
    if minorVersion == 0 { return }
    if headers.repeated.contains(.expect) || !Self.isContinue(headers, bytes) { throw .unknownExpectation }
    expectsContinue = framing != .none
  }

  private static func isContinue(_ headers: borrowing HeaderBlock, _ bytes: Span<UInt8>) -> Bool {
    guard let value = headers.value(of: .expect, in: bytes) else { return false }
    return ByteScan.equalIgnoringCase(value, ByteScan.bytes(of: "100-continue"))
  }
}
