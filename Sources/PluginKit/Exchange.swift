public import HTTP
import JSON
public import Kernel

/// What the configuration says of a route that exchanges and plugins refer to.
public final class RouteIdentity: Sendable {
  public let index: Int
  public let name: String
  /// The path template that the request matched; the `http.route` label.
  public let template: String
  /// The names of the template's parameters, from the left.
  public let parameterNames: [String]

  public init(index: Int, name: String, template: String, parameterNames: [String] = []) {
    self.parameterNames = parameterNames
    self.index = index
    self.name = name
    self.template = template
  }
}

/// The points in time of one exchange, in monotonic nanoseconds; 0 means that it did not come to that.
public struct ExchangeTimes: Sendable {
  /// The first byte of the request's head was there.
  public var received = 0
  /// The head was complete.
  public var headComplete = 0
  /// A connection to a target was asked for.
  public var leaseBegan = 0
  /// One was had.
  public var leaseEnded = 0
  /// The last attempt's request was sent.
  public var sent = 0
  /// The response's first byte arrived.
  public var firstByte = 0
  /// The last byte of the response was handed to the kernel.
  public var ended = 0
  /// Nanoseconds spent in connecting.
  public var connecting = 0
  /// Nanoseconds spent in the wait queue of an upstream.
  public var queued = 0
  /// Nanoseconds in which the exchange waited for somebody else: client, target, queue or timer.
  public var waited = 0

  public init() {}
}

/// A version of HTTP.
public enum ProtocolVersion: UInt8, Sendable {
  case http10, http11, http2

  /// As log lines have it.
  public var name: StaticString {
    switch self {
    case .http10: "HTTP/1.0"
    case .http11: "HTTP/1.1"
    case .http2: "HTTP/2"
    }
  }

  /// As OpenTelemetry's `network.protocol.version` has it.
  public var number: StaticString {
    switch self {
    case .http10: "1.0"
    case .http11: "1.1"
    case .http2: "2"
    }
  }
}

/// One request and its response, from accept to call log.
///
/// Hooks and handlers get it `inout` and cannot keep it: it is not copyable. The engine reuses it, with its buffers,
/// for one exchange after another.
public struct Exchange: ~Copyable {
  private let inPlace = InPlace()
  public var request = RequestMessage()
  public var response = ResponseMessage()

  /// The id, as text: 32 hexadecimal digits, or what a trusted proxy sent as `X-Request-Id`.
  public var id = ByteBuffer(capacity: 64)
  /// The client's address: the peer's, or what trusted proxies say it is.
  public var client = IPAddress(v4: 0)
  public var peer = IPAddress(v4: 0)
  public var peerIsTrusted = false
  public var listener = ""
  /// Whether the client's connection is under TLS.
  public var isSecure = false
  /// Who the client is by its certificate; nil when it showed none.
  public var clientCertificate: ClientCertificate?
  /// Whether the client speaks HTTP/2, which hooks see as the equivalent request of HTTP/1.1.
  public var isHTTP2 = false
  /// Nanoseconds since 1970 when the request began.
  public var began = 0
  public var times = ExchangeTimes()

  public var route: RouteIdentity?
  public var parameters = PathParameters()
  public var normalizedPath = ByteBuffer(capacity: 256)
  public var pathIsNormalized = false

  /// How the caller speaks gRPC, if it does.
  public var rpc = GRPC.Dialect.none
  /// Who calls, by the name that the configuration has for them, once a plugin has found out.
  public var consumer: String?
  /// Whom the caller acts for, once a plugin has found out: the subject of a token, a login name.
  public var user: String?
  /// Its place in a distributed trace, once a plugin has found it.
  public var trace = TraceContext()
  /// All that a plugin has found out of the caller: groups, scopes and claims too.
  public private(set) var identity: Identity?
  /// What plugins remember of it from one hook to the next.
  public var notes = ExchangeNotes()
  /// A longer request body is refused; the route's limit, which plugins may lower.
  public var requestBodyLimit = Int.max

  /// Path and query that the target gets in the place of the client's.
  public var forwardedPath: ByteBuffer?
  public var forwardedQuery: ByteBuffer?
  /// The parameter of the query that has a secret, whose value no log may show.
  public var secretParameter: String?

  /// How often the response violates what it was checked by; noted in the call log.
  public var responseViolations = 0

  /// What is called of a server of the Model Context Protocol.
  public var remoteCall: RemoteCall?

  /// How a cache took part.
  public var cacheUse = CacheUse.none
  /// How near the question of a kept answer is to the one that was asked, in thousandths of the cosine; 0 where that is not why
  /// it was given.
  public var cacheSimilarity = 0
  /// Gets the answer to this request when it is sent to the upstream once more, behind the client's back, because a
  /// hook has answered it from what it had.
  public var refresher: AnswerReceiver?
  /// Which step of the request's chain is next, where one had to wait.
  var nextStep = 0

  /// How faults are told to this client.
  public var faultShape = FaultShape.problem
  /// Why it failed, once it has.
  public var fault: Fault?
  /// Members of JSON that the fault's page has beside its own, such as `"offset":17`; set by who returns the fault.
  public var faultMembers = ByteBuffer(capacity: 16)
  /// What the fault's page says beside the fault's own sentence: what only this run knows, such as a limit's name.
  public var faultNote = ""
  /// Which rule of which guardrails refused the call or its answer, for the call log.
  public var brokenRule: String?
  /// For `Allow`, with a 405.
  public var allowed = ""

  public init() {}

  /// What the client speaks.
  public var version: ProtocolVersion { isHTTP2 ? .http2 : request.head.minorVersion == 0 ? .http10 : .http11 }

  /// The path after normalisation: what routes match and targets get.
  public var path: Span<UInt8> {
    @_lifetime(borrow self) get {
      if pathIsNormalized { return normalizedPath.span }
      let path = request.head.pathRange
      // An absolute target may have none, which means the same (RFC 9110 §4.2.3).
      if path.isEmpty, request.head.form == .absolute { return ByteScan.bytes(of: "/") }
      return path.bytes(in: request.source)
    }
  }

  /// The query without `?`; empty when there is none.
  public var query: Span<UInt8> {
    @_lifetime(borrow self) get { request.head.queryRange.bytes(in: request.source) }
  }

  /// `Host`, or the authority of an absolute target.
  public var host: Span<UInt8> {
    @_lifetime(borrow self) get { request.head.hostRange.bytes(in: request.source) }
  }

  /// Adds a member to the page of the fault that is about to be returned.
  public mutating func addFaultMember(_ name: StaticString, _ value: Int) {
    beginFaultMember(name)
    faultMembers.append(decimal: value)
  }

  public mutating func addFaultMember(_ name: StaticString, _ text: StaticString) {
    beginFaultMember(name)
    faultMembers.append(json: ByteScan.bytes(of: text))
  }

  private mutating func beginFaultMember(_ name: StaticString) {
    if !faultMembers.isEmpty { faultMembers.append(",") }
    faultMembers.append(json: ByteScan.bytes(of: name))
    faultMembers.append(":")
  }

  /// Says who calls.
  public mutating func identify(_ identity: Identity) {
    self.identity = identity
    consumer = identity.consumer
    user = identity.user
  }

  /// Keeps the parameters of this name from the target.
  public mutating func removeQuery(_ name: String) {
    var left = ByteBuffer(capacity: query.count)
    QueryParameters.append(query, without: name.utf8Span.span, to: &left)
    forwardedQuery = consume left
  }

  /// Forgets the exchange and keeps its memory.
  public mutating func reset() {
    request.head.reset()
    response.head.reset()
    request.resetBody()
    response.resetBody()
    response.isLocal = false
    id.removeAll()
    times = ExchangeTimes()
    route = nil
    parameters.removeAll()
    pathIsNormalized = false
    rpc = .none
    if consumer != nil { consumer = nil }
    if user != nil { user = nil }
    if trace.isActive { trace = TraceContext() }
    if identity != nil { identity = nil }
    notes.removeAll()
    requestBodyLimit = .max
    forwardedPath = nil
    forwardedQuery = nil
    if secretParameter != nil { secretParameter = nil }
    faultShape = .problem
    fault = nil
    faultMembers.removeAll()
    responseViolations = 0
    if !faultNote.isEmpty { faultNote = "" }
    if brokenRule != nil { brokenRule = nil }
    if remoteCall != nil { remoteCall = nil }
    cacheUse = .none
    cacheSimilarity = 0
    if refresher != nil { refresher = nil }
    nextStep = 0
    if !allowed.isEmpty { allowed = "" }
  }
}
