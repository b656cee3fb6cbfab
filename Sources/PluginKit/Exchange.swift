import HTTP
package import Kernel

/// What the configuration says of a route that exchanges and plugins refer to.
package final class RouteIdentity: Sendable {
  package let index: Int
  package let name: String
  /// The path template that the request matched; the `http.route` label.
  package let template: String
  /// The names of the template's parameters, from the left.
  package let parameterNames: [String]

  package init(index: Int, name: String, template: String, parameterNames: [String] = []) {
    self.parameterNames = parameterNames
    self.index = index
    self.name = name
    self.template = template
  }
}

/// The points in time of one exchange, in monotonic nanoseconds; 0 means that it did not come to that.
package struct ExchangeTimes: Sendable {
  /// The first byte of the request's head was there.
  package var received = 0
  /// The head was complete.
  package var headComplete = 0
  /// A connection to a target was asked for.
  package var leaseBegan = 0
  /// One was had.
  package var leaseEnded = 0
  /// The last attempt's request was sent.
  package var sent = 0
  /// The response's first byte arrived.
  package var firstByte = 0
  /// The last byte of the response was handed to the kernel.
  package var ended = 0
  /// Nanoseconds spent in connecting.
  package var connecting = 0
  /// Nanoseconds spent in the wait queue of an upstream.
  package var queued = 0
  /// Nanoseconds in which the exchange waited for somebody else: client, target, queue or timer.
  package var waited = 0

  package init() {}
}

/// One request and its response, from accept to call log.
///
/// Hooks and handlers get it `inout` and cannot keep it: it is not copyable. The engine reuses it, with its buffers,
/// for one exchange after another.
package struct Exchange: ~Copyable {
  package var request = RequestMessage()
  package var response = ResponseMessage()

  /// The id, as text: 32 hexadecimal digits, or what a trusted proxy sent as `X-Request-Id`.
  package var id = ByteBuffer(capacity: 64)
  /// The client's address: the peer's, or what trusted proxies say it is.
  package var client = IPAddress(v4: 0)
  package var peer = IPAddress(v4: 0)
  package var peerIsTrusted = false
  package var listener = ""
  /// Nanoseconds since 1970 when the request began.
  package var began = 0
  package var times = ExchangeTimes()

  package var route: RouteIdentity?
  package var parameters = PathParameters()
  package var normalizedPath = ByteBuffer(capacity: 256)
  package var pathIsNormalized = false

  /// Why it failed, once it has.
  package var fault: Fault?
  /// For `Allow`, with a 405.
  package var allowed = ""

  package init() {}

  /// The path after normalisation: what routes match and targets get.
  package var path: Span<UInt8> {
    @_lifetime(borrow self) get {
      if pathIsNormalized { return normalizedPath.span }
      return request.head.pathRange.bytes(in: request.source)
    }
  }

  /// The query without `?`; empty when there is none.
  package var query: Span<UInt8> {
    @_lifetime(borrow self) get { request.head.queryRange.bytes(in: request.source) }
  }

  /// `Host`, or the authority of an absolute target.
  package var host: Span<UInt8> {
    @_lifetime(borrow self) get { request.head.hostRange.bytes(in: request.source) }
  }

  /// Forgets the exchange and keeps its memory.
  package mutating func reset() {
    request.head.reset()
    response.head.reset()
    response.body.removeAll()
    response.isLocal = false
    id.removeAll()
    times = ExchangeTimes()
    route = nil
    parameters.removeAll()
    pathIsNormalized = false
    fault = nil
    if !allowed.isEmpty { allowed = "" }
  }
}
