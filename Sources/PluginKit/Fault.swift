public import HTTP

/// Why an exchange failed, and whose fault it was.
///
/// It is rendered for the caller in one place, and its `reason` stands in the call log; the caller sees the origin, the
/// status and the sentence, never a target. Two words wide, because functions that wait keep every fault that they may
/// answer with in their frame: what is the same for all faults of a reason stands in one object, so that a fault that
/// occurs often is a `static let`.
public struct Fault: Error, Sendable {
  /// Whose fault it was; the value of `X-Fault`.
  public enum Origin: String, Sendable, CaseIterable {
    /// The client sent what cannot be served.
    case client
    /// A rule of the operator's refused it.
    case policy
    /// A target failed, or none was left.
    case upstream
    /// Sluice itself could not.
    case gateway

    /// The same word, without a string to make.
    public var word: StaticString {
      switch self {
      case .client: "client"
      case .policy: "policy"
      case .upstream: "upstream"
      case .gateway: "gateway"
      }
    }
  }

  private final class Cause: Sendable {
    let origin: Origin
    let status: Int
    let reason: StaticString
    let code: StaticString
    let detail: StaticString

    init(_ origin: Origin, _ status: Int, _ reason: StaticString, _ code: StaticString, _ detail: StaticString) {
      self.origin = origin
      self.status = status
      self.reason = reason
      self.code = code
      self.detail = detail
    }
  }

  private let cause: Cause
  private var seconds: Int32
  /// Whether the client's connection must be closed, because where its next request begins is not certain.
  public var closes: Bool
  /// Whether asking again soon wins nothing, which clients of models are told by `x-should-retry: false`.
  public var isFinal: Bool

  public init(
    _ origin: Origin, _ status: Int, _ reason: StaticString, _ detail: StaticString, retryAfter: Int = 0,
    closes: Bool = false, isFinal: Bool = false, code: StaticString? = nil
  ) {
    cause = Cause(origin, status, reason, code ?? reason, detail)
    seconds = Int32(clamping: retryAfter)
    self.closes = closes
    self.isFinal = isFinal
  }

  public var origin: Origin { cause.origin }

  /// The HTTP status of the answer; 499 when the client is gone and nobody reads one.
  public var status: Int { cause.status }

  /// A stable word for logs and metrics, such as `connect_refused`.
  public var reason: StaticString { cause.reason }

  /// The word that the caller reads: the reason, unless it would tell whoever guesses how near they are.
  public var code: StaticString { cause.code }

  /// One sentence for the caller that says what to do.
  public var detail: StaticString { cause.detail }

  /// For `Retry-After`, in seconds; 0 for none.
  public var retryAfter: Int {
    get { Int(seconds) }
    set { seconds = Int32(clamping: newValue) }
  }
}

extension Fault {
  /// A request that the codec refused.
  public static func malformedRequest(_ error: HTTPError) -> Fault {
    Fault(.client, error.status, error.reason, detail(of: error), closes: true)
  }

  private static func detail(of error: HTTPError) -> StaticString {
    switch error {
    case .encodedSlash:
      "The path has an encoded slash, which this route refuses; `encoded_slashes: keep` would take it."
    case .emptySegment:
      "The path has an empty segment, which this route refuses; `empty_segments: merge` would take it."
    case .ambiguousPath:
      "The path can be read in two ways, by a backslash or by dots beside a semicolon or an encoded slash; mend the client."
    default: "The request is not well-formed HTTP; mend the client."
    }
  }

  /// A response that the codec refused.
  public static func malformedResponse(_ error: HTTPError) -> Fault {
    Fault(.upstream, 502, error.reason, "The service behind the gateway sent an answer that is not well-formed HTTP.")
  }

  public static let notFound = Fault(.client, 404, "no_route", "No route matches this host and path.")
  public static let noHostToRedirect = Fault(
    .client, 400, "no_host", "The answer sends to the host that was asked for, and the request names none.")
  public static let methodNotAllowed = Fault(
    .client, 405, "method_not_allowed", "This path does not take this method; Allow lists those it takes.")
  public static let invalidMaxForwards = Fault(
    .client, 400, "invalid_max_forwards", "Max-Forwards is no single number.")
  public static let schemeMismatch = Fault(
    .client, 421, "scheme_mismatch", "The target names another scheme than the connection has; connect as it says.")
  public static let tunnelRefused = Fault(
    .client, 501, "tunnel_refused", "The gateway opens no tunnels; send the request without CONNECT.", closes: true)
  public static let headTimeout = Fault(
    .client, 408, "head_timeout", "The request's head took too long to arrive.", closes: true)
  public static let bodyTimeout = Fault(
    .client, 408, "body_timeout", "The request's body took too long to arrive.", closes: true)
  public static let clientStalled = Fault(
    .client, 408, "client_stalled", "The client stopped reading the answer.", closes: true)
  public static let bodyTooLarge = Fault(
    .client, 413, "body_too_large", "The request's body is larger than the limit.", closes: true)
  public static let ambiguousForm = Fault(
    .client, 400, "ambiguous_form", "Behind its file the form breaks off, or says again which model is meant.",
    closes: true)
  public static let unreadableRealtime = Fault(
    .policy, 403, "unreadable_realtime", "The guardrails of this route cannot read what is said in realtime.",
    isFinal: true)
  public static let invalidBase64 = Fault(
    .client, 400, "invalid_base64", "The request's body is not in base64, as its type says.", closes: true)
  public static let expectationFailed = Fault(
    .client, 417, "expectation_failed", "The only expectation that is met is 100-continue.")
  public static let malformedUpgrade = Fault(
    .client, 400, "malformed_upgrade",
    "The WebSocket handshake is not well-formed: it is a GET without a body, with one Sec-WebSocket-Key of 16 bytes.")
  public static let unknownWebSocketVersion = Fault(
    .client, 426, "websocket_version", "The version of WebSocket is 13.")
  public static let tunnelIdle = Fault(
    .policy, 408, "tunnel_idle", "Nothing was said over the tunnel for as long as it may be silent.", closes: true)
  public static let clientGone = Fault(
    .client, 499, "client_closed", "The client closed the connection before the answer was complete.", closes: true)
  public static let connectRefused = Fault(
    .upstream, 502, "connect_failed", "The service behind the gateway cannot be reached.")
  public static let connectTimeout = Fault(
    .upstream, 504, "connect_timeout", "The service behind the gateway did not accept a connection in time.")
  public static let targetCertificateExpired = Fault(
    .upstream, 502, "upstream_certificate_expired", "The certificate of the service behind the gateway has expired.")
  public static let targetCertificateNotYetValid = Fault(
    .upstream, 502, "upstream_certificate_not_yet_valid",
    "The certificate of the service behind the gateway is not valid yet.")
  public static let targetUnknownAuthority = Fault(
    .upstream, 502, "upstream_unknown_authority",
    "No authority that the gateway trusts has signed the certificate of the service behind it.")
  public static let targetWrongHost = Fault(
    .upstream, 502, "upstream_wrong_host", "The certificate of the service behind the gateway is another host's.")
  public static let targetBadCertificate = Fault(
    .upstream, 502, "upstream_bad_certificate", "The certificate of the service behind the gateway is not acceptable.")
  public static let targetRefusedTLS = Fault(
    .upstream, 502, "upstream_refused_tls", "The service behind the gateway refused the TLS connection.")
  public static let targetHandshakeFailed = Fault(
    .upstream, 502, "upstream_handshake_failed", "TLS with the service behind the gateway could not be agreed on.")
  public static let targetNotHTTP2 = Fault(
    .upstream, 502, "upstream_not_http2",
    "The service behind the gateway does not speak HTTP/2, which the gateway is told to speak to it.")
  public static let targetNoWebSocket = Fault(
    .upstream, 502, "upstream_no_websocket",
    "The service behind the gateway takes no WebSockets over HTTP/2 (RFC 8441).")
  public static let upstreamReset = Fault(
    .upstream, 502, "upstream_reset", "The service behind the gateway closed the connection before it answered.")
  public static let upstreamTruncated = Fault(
    .upstream, 502, "upstream_truncated", "The service behind the gateway broke off in the middle of its answer.",
    closes: true)
  public static let unexpectedSwitch = Fault(
    .upstream, 502, "unexpected_upgrade", "The service behind the gateway switched protocols though nobody asked.")
  public static let upgradeMismatch = Fault(
    .upstream, 502, "upgrade_mismatch", "The service behind the gateway switched protocols, but not as it was asked to."
  )
  public static let tooManyInformational = Fault(
    .upstream, 502, "too_many_1xx", "The service behind the gateway sent interim answers without end.")
  public static let firstByteTimeout = Fault(
    .upstream, 504, "first_byte_timeout", "The service behind the gateway did not answer in time.")
  public static let idleTimeout = Fault(
    .upstream, 504, "idle_timeout", "The service behind the gateway fell silent.", closes: true)
  public static let totalTimeout = Fault(
    .upstream, 504, "total_timeout", "The call took longer than it may in all.", closes: true)
  public static let noTarget = Fault(
    .upstream, 503, "no_healthy_target", "No healthy service is behind the gateway; try again later.", retryAfter: 5)
  public static let circuitOpen = Fault(
    .upstream, 503, "circuit_open", "The service behind the gateway failed too often; try again later.", retryAfter: 5)
  public static let upstreamStatus = Fault(
    .upstream, 502, "upstream_status", "The service behind the gateway answered with an error.")
  public static let versionGone = Fault(
    .policy, 410, "version_gone", "This version of the service is gone; Link says what to use instead.")
  public static let queueFull = Fault(
    .upstream, 503, "queue_full", "Too many calls wait for the service behind the gateway.", retryAfter: 1)
  public static let queueTimeout = Fault(
    .upstream, 503, "queue_timeout", "No connection to the service behind the gateway became free in time.",
    retryAfter: 1)
  public static let unresolved = Fault(
    .upstream, 502, "name_unresolved", "The name of the service behind the gateway has no address.")
  public static let headTooLong = Fault(
    .gateway, 502, "upstream_head_too_large", "The head of the answer is larger than the gateway holds.")
  public static let overloaded = Fault(
    .gateway, 503, "overloaded", "The gateway has more to do than it can; try again later.", retryAfter: 1)
  public static let tooManyFiles = Fault(
    .gateway, 503, "out_of_descriptors", "The gateway has no free descriptor; try again later.", retryAfter: 1)
  public static let noLocalPort = Fault(
    .gateway, 503, "no_local_port",
    "The gateway has no local port or memory left for a connection to the target; try again later.", retryAfter: 1)
  public static let cutByDrain = Fault(
    .gateway, 503, "cut_by_drain", "The gateway stopped before the exchange was complete.", closes: true)
  public static let pluginFailed = Fault(
    .gateway, 500, "plugin_failed", "A step of the gateway failed; the operator's log says which.")
  public static let unknownUpstream = Fault(
    .gateway, 500, "unknown_upstream", "A step of the gateway calls an upstream that is not configured.")
  public static let malformedCall = Fault(
    .gateway, 500, "malformed_call", "A step of the gateway made a call that is not well-formed HTTP.")
  public static let unknownContentCoding = Fault(
    .client, 415, "unknown_content_coding",
    "The body is in a content coding that is not read here; gzip, deflate, zstd and identity are.", closes: true)
  public static let decodedBodyTooLarge = Fault(
    .client, 413, "decoded_body_too_large", "The request's body is larger than the limit once it is decoded.")
  public static let malformedContentCoding = Fault(
    .client, 400, "malformed_content_coding", "The body is not in the content coding that Content-Encoding names.")
  public static let unreadableAnswer = Fault(
    .upstream, 502, "unreadable_answer",
    "The answer's body is too long, or in a coding that is not read here, for what the gateway must do with it.")
  public static let answerTooLarge = Fault(
    .gateway, 502, "answer_too_large", "The answer to a call of the gateway's own is larger than it may be.")

  public static let unreadableConversation = Fault(
    .client, 400, "unreadable_conversation",
    "The request is not what its dialect promises, or cannot be said to the model; the answer names the field.")
  public static let unknownModel = Fault(
    .client, 404, "unknown_model", "There is no such model; GET /v1/models lists those that there are.")
  public static let malformedAnswer = Fault(
    .upstream, 502, "malformed_answer", "The model's answer is not what its dialect promises.", closes: true)

  public static let unreadableCall = Fault(
    .client, 400, "unreadable_call", "The body is no message of JSON-RPC 2.0, or too many of them.")
  public static let fieldMismatch = Fault(
    .client, 400, "field_mismatch", "Mcp-Method or Mcp-Name says something else than the body.")
  public static let toolNotAllowed = Fault(
    .policy, 403, "tool_not_allowed", "There is no such tool, or this caller may not call it.")
  public static let foreignOrigin = Fault(
    .policy, 403, "foreign_origin", "Scripts of this page may not call here; its origin is not on the list.")
  public static let answerDenied = Fault(
    .policy, 403, "answer_denied", "The model's answer breaks a rule of the gateway's.", isFinal: true)
  public static let noUsableKey = Fault(
    .upstream, 503, "no_usable_key",
    "The model's provider refuses or limits all keys that the gateway has for it; try again later.", retryAfter: 1)
  public static let modelsFailed = Fault(
    .upstream, 502, "models_failed", "None of the models that could answer did; this is what the last one said.")

  public static let unreadableInputs = Fault(
    .client, 400, "unreadable_inputs", "A prompt takes its inputs as one JSON object; the body is none.")
  public static let invalidInputs = Fault(
    .client, 422, "invalid_inputs", "The inputs are not what this prompt takes; violations says where and why.")
  public static let unknownPromptVersion = Fault(
    .client, 404, "unknown_prompt_version", "This prompt has no such version.")
  public static let promptUnavailable = Fault(
    .gateway, 503, "prompt_unavailable", "Nobody who runs this prompt's model is configured here.")
  public static let invalidOutput = Fault(
    .upstream, 502, "invalid_output",
    "The model's answer is not what this prompt promises, also after it was told why; try again.")

  /// Every fault that the proxy itself makes, for the reference and its test.
  public static let all: [Fault] = [
    notFound, methodNotAllowed, noHostToRedirect, invalidMaxForwards, schemeMismatch, tunnelRefused, headTimeout,
    bodyTimeout, clientStalled,
    bodyTooLarge, expectationFailed, invalidBase64, ambiguousForm, unreadableRealtime,
    malformedUpgrade, unknownWebSocketVersion, tunnelIdle, clientGone,
    connectRefused, connectTimeout, targetCertificateExpired, targetCertificateNotYetValid, targetUnknownAuthority,
    targetWrongHost, targetBadCertificate, targetRefusedTLS, targetHandshakeFailed, targetNotHTTP2, targetNoWebSocket,
    upstreamReset,
    upstreamTruncated,
    unexpectedSwitch, upgradeMismatch, tooManyInformational,
    firstByteTimeout, idleTimeout, totalTimeout, noTarget, circuitOpen, upstreamStatus, versionGone, queueFull,
    queueTimeout, unresolved, headTooLong, overloaded, storeUnavailable, tooManyFiles, noLocalPort, cutByDrain,
    pluginFailed,
    unknownUpstream, malformedCall, answerTooLarge, unknownContentCoding, decodedBodyTooLarge, malformedContentCoding,
    unreadableAnswer, unreadableConversation, unknownModel, malformedAnswer, answerDenied, unreadableCall,
    fieldMismatch, toolNotAllowed, foreignOrigin, noUsableKey, modelsFailed,
    unreadableInputs, invalidInputs, unknownPromptVersion, promptUnavailable, invalidOutput,
  ]
}
