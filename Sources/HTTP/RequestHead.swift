import Kernel

/// The four forms of a request target (RFC 9112 §3.2).
public enum TargetForm: UInt8, Sendable {
  /// `/path?query`
  case origin
  /// `http://host/path?query`
  case absolute
  /// `host:port`, for CONNECT only.
  case authority
  /// `*`, for OPTIONS only.
  case asterisk
}

/// The head of a request, as views into the buffer that it was received in.
public struct RequestHead: ~Copyable {
  private let inPlace = InPlace()
  package internal(set) var method = Method.other
  package internal(set) var form = TargetForm.origin
  /// 0 or 1: the version is HTTP/1.x.
  package internal(set) var minorVersion: UInt8 = 1
  /// Whether the connection may carry another request after this one.
  package internal(set) var keepAlive = true
  /// Whether the client waits for `100 Continue` before it sends the content.
  package internal(set) var expectsContinue = false
  /// Whether the client offers to speak another protocol on this connection (RFC 9110 §7.8).
  package internal(set) var asksUpgrade = false
  /// Whether the path has no percent-encoding, dot segments or other bytes that `NormalizedPath` would look at.
  package internal(set) var pathIsNormal = true
  package internal(set) var framing = BodyFraming.none
  package internal(set) var methodRange = ByteRange()
  package internal(set) var targetRange = ByteRange()
  /// The target's path; empty in authority form and possibly in absolute form, where it then means `/`.
  package internal(set) var pathRange = ByteRange()
  /// What stands behind `?`, without it.
  package internal(set) var queryRange = ByteRange()
  /// Whether there is a `?`: an empty query is not the same as none.
  package internal(set) var hasQuery = false
  /// The effective authority: the target's if it has one, else the Host; empty only in HTTP/1.0.
  package internal(set) var hostRange = ByteRange()
  public var headers = HeaderBlock()
  /// Bytes of the head, from the buffer's start to behind the empty line.
  package internal(set) var length = 0

  public init() {}

  /// Forgets the message; keeps the memory.
  public mutating func reset() {
    headers.reset()
    method = .other
    form = .origin
    minorVersion = 1
    keepAlive = true
    expectsContinue = false
    asksUpgrade = false
    pathIsNormal = true
    framing = .none
    methodRange = ByteRange()
    targetRange = ByteRange()
    pathRange = ByteRange()
    queryRange = ByteRange()
    hasQuery = false
    hostRange = ByteRange()
    length = 0
  }
}
