public import Configuration

/// How much a client may ask for, and how slowly.
public struct LimitSettings: Sendable, Equatable {
  /// Bytes of request line and fields; beyond: 431.
  public var requestHead: Int
  /// Fields of a request; beyond: 431.
  public var headers: Int
  /// Bytes of the request target; beyond: 414.
  public var requestTarget: Int
  /// Bytes of a request's body; beyond: 413.
  public var requestBody: Int
  /// From a request's first byte to the end of its head; beyond: 408.
  public var headTimeout: Nanoseconds
  /// How long a connection may wait for its next request.
  public var idleTimeout: Nanoseconds
  /// The longest silence of a client in the middle of an exchange, sending its body or reading its answer.
  public var bodyTimeout: Nanoseconds
  /// From the accept of a connection to the end of its TLS handshake.
  public var handshakeTimeout: Nanoseconds
  /// Handshakes under way on one worker; beyond, the one that waits longest is given up.
  public var handshakes: Int
  /// Client connections of the whole process.
  public var connections: Int
  /// Streams that one HTTP/2 connection may have open.
  public var http2Streams: Int
  /// Streams that one HTTP/2 connection may have reset at once; a tenth as many are granted anew each second.
  public var http2Resets: Int
  /// How long an HTTP/2 connection with open streams may be silent before it gets a PING.
  public var http2Ping: Nanoseconds

  public init(
    requestHead: Int = 16 << 10,
    headers: Int = 100,
    requestTarget: Int = 8 << 10,
    requestBody: Int = 10 << 20,
    headTimeout: Nanoseconds = .seconds(10),
    idleTimeout: Nanoseconds = .seconds(60),
    bodyTimeout: Nanoseconds = .seconds(30),
    handshakeTimeout: Nanoseconds = .seconds(10),
    handshakes: Int = 1000,
    connections: Int = 10_000,
    http2Streams: Int = 128,
    http2Resets: Int = 200,
    http2Ping: Nanoseconds = .seconds(30)
  ) {
    self.requestHead = requestHead
    self.headers = headers
    self.requestTarget = requestTarget
    self.requestBody = requestBody
    self.headTimeout = headTimeout
    self.idleTimeout = idleTimeout
    self.bodyTimeout = bodyTimeout
    self.handshakeTimeout = handshakeTimeout
    self.handshakes = handshakes
    self.connections = connections
    self.http2Streams = http2Streams
    self.http2Resets = http2Resets
    self.http2Ping = http2Ping
  }
}

/// The limits that a route may set anew: those that count after it is known. Nil: the gateway's.
public struct RouteLimitSettings: Sendable, Equatable {
  public var requestBody: Int?
  public var bodyTimeout: Nanoseconds?

  public init(requestBody: Int? = nil, bodyTimeout: Nanoseconds? = nil) {
    self.requestBody = requestBody
    self.bodyTimeout = bodyTimeout
  }
}
