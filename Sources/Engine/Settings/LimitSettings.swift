package import Configuration

/// How much a client may ask for, and how slowly.
package struct LimitSettings: Sendable, Equatable {
  /// Bytes of request line and fields; beyond: 431.
  package var requestHead: Int
  /// Fields of a request; beyond: 431.
  package var headers: Int
  /// Bytes of the request target; beyond: 414.
  package var requestTarget: Int
  /// Bytes of a request's body; beyond: 413.
  package var requestBody: Int
  /// From a request's first byte to the end of its head; beyond: 408.
  package var headTimeout: Nanoseconds
  /// How long a connection may wait for its next request.
  package var idleTimeout: Nanoseconds
  /// The longest silence of a client in the middle of an exchange, sending its body or reading its answer.
  package var bodyTimeout: Nanoseconds
  /// Client connections of the whole process.
  package var connections: Int

  package init(
    requestHead: Int = 16 << 10,
    headers: Int = 100,
    requestTarget: Int = 8 << 10,
    requestBody: Int = 10 << 20,
    headTimeout: Nanoseconds = .seconds(10),
    idleTimeout: Nanoseconds = .seconds(60),
    bodyTimeout: Nanoseconds = .seconds(30),
    connections: Int = 10_000
  ) {
    self.requestHead = requestHead
    self.headers = headers
    self.requestTarget = requestTarget
    self.requestBody = requestBody
    self.headTimeout = headTimeout
    self.idleTimeout = idleTimeout
    self.bodyTimeout = bodyTimeout
    self.connections = connections
  }
}

/// The limits that a route may set anew: those that count after it is known. Nil: the gateway's.
package struct RouteLimitSettings: Sendable, Equatable {
  package var requestBody: Int?
  package var bodyTimeout: Nanoseconds?

  package init(requestBody: Int? = nil, bodyTimeout: Nanoseconds? = nil) {
    self.requestBody = requestBody
    self.bodyTimeout = bodyTimeout
  }
}
