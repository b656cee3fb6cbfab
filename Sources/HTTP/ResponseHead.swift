import Kernel

/// The head of a response, as views into the buffer that it was received in.
public struct ResponseHead: ~Copyable {
  private let inPlace = InPlace()
  /// 100 to 599.
  package internal(set) var status = 0
  /// 0 or 1: the version is HTTP/1.x.
  package internal(set) var minorVersion: UInt8 = 1
  /// Whether the connection may carry another response after this one.
  package internal(set) var keepAlive = true
  /// Whether the connection option says that the protocol named by Upgrade is spoken from here on (RFC 9110 §7.8).
  package internal(set) var agreesToUpgrade = false
  package internal(set) var framing = BodyFraming.none
  package internal(set) var reasonRange = ByteRange()
  public var headers = HeaderBlock()
  /// Bytes of the head, from the buffer's start to behind the empty line.
  package internal(set) var length = 0

  public init() {}

  /// Whether another response to the same request follows (RFC 9110 §15.2).
  public var isInformational: Bool { status < 200 && status != 101 }

  /// Forgets the message; keeps the memory.
  public mutating func reset() {
    headers.reset()
    status = 0
    minorVersion = 1
    keepAlive = true
    agreesToUpgrade = false
    framing = .none
    reasonRange = ByteRange()
    length = 0
  }
}

extension ResponseHead {
  /// Finds out what content follows (RFC 9112 §6.3) and whether the connection goes on.
  mutating func interpret(_ bytes: Span<UInt8>, answering method: Method) throws(HTTPError) {
    let delimiting = try headers.delimiting(bytes, minorVersion: minorVersion)
    let options = try headers.connectionOptions(bytes)
    keepAlive = options.persists(minorVersion: minorVersion)
    agreesToUpgrade = options.upgrade
    if status < 200 || status == 204 {
      try requireNoContent(delimiting)
      framing = .none
      return
    }
    if status == 304 || method == .head {
      framing = .none
      return
    }
    switch delimiting {
    case .length(let length): framing = length == 0 ? .none : .length(length)
    case .chunked: framing = .chunked
    case .absent:
      framing = .untilClose
      keepAlive = false
    }
  }

  /// RFC 9110 §8.6: these have neither field. `Content-Length: 0` says the same and is common, so it passes, but is
  /// not forwarded.
  private mutating func requireNoContent(_ delimiting: HeaderBlock.Delimiting) throws(HTTPError) {
    switch delimiting {
    case .absent: break
    case .length(0): headers.remove(.contentLength)
    case .length, .chunked: throw .contentNotAllowed
    }
  }
}
