import HTTP
import Kernel
import PluginKit

/// Answers from what is stored.
extension Cache {
  /// Makes the stored answer the exchange's.
  ///
  /// - Parameter isHeld: whether the client has it, so that it gets a 304.
  func serve(_ answer: CachedAnswer, _ use: CacheUse, isHeld: Bool, _ exchange: inout Exchange) {
    count(use, &exchange)
    exchange.response.begin(status: isHeld ? 304 : answer.status)
    exchange.response.addHeaders(isHeld ? answer.conditionalFields : answer.fields)
    let age = answer.freshness.age(at: services.now)
    scratch.removeAll()
    scratch.append(decimal: age)
    Self.addAge(scratch, to: &exchange.response)
    scratch.removeAll()
    scratch.append(use == .revalidated ? "sluice; hit; fwd=stale; fwd-status=304; ttl=" : "sluice; hit; ttl=")
    let left = answer.freshness.lifetime - age
    if left < 0 { scratch.append("-") }
    scratch.append(decimal: abs(left))
    Self.addStatus(scratch, to: &exchange.response)
    if !isHeld { exchange.response.stored = answer.body }
  }

  static func addStatus(_ text: borrowing ByteBuffer, to response: inout ResponseMessage) {
    response.addHeader(named: "Cache-Status", text.span)
  }

  private static func addAge(_ text: borrowing ByteBuffer, to response: inout ResponseMessage) {
    response.addHeader(.age, text.span)
  }

  /// Lets the engine ask the upstream once more, behind the client's back.
  func refresh(_ stale: CachedAnswer, _ exchange: inout Exchange, _ directives: CacheDirectives) {
    guard case .lead(let flight) = store.turn(key, now: services.now) else { return }
    let isAuthorized =
      !keyNamesCaller && (exchange.identity != nil || exchange.request.head.headers.contains(.authorization))
    let call = CacheCall(
      CallKey(key, route: exchange.route?.name ?? ""), began: services.now, isAuthorized: isAuthorized, directives,
      mayStore: true, stale: stale, flight: flight, forwarded: "sluice; fwd=stale")
    let varied = VariedRequest(exchange.request)
    askAnew(&exchange.request, stale)
    let store = store
    exchange.refresher = BackgroundAnswer { [weak self] response in
      // The store may outlive this instance, and with it those who wait.
      guard let self else { return store.end(flight, call.key) }
      if let response { self.take(response, call, varied) }
      self.release(call)
    }
  }

  private func take(_ response: ClientResponse, _ call: CacheCall, _ request: VariedRequest) {
    var traits = AnswerTraits()
    var isDelimited = response.status == 304
    for field in response.headers {
      switch FieldName.known(field.name.utf8Span.span) {
      case .contentLength, .transferEncoding: isDelimited = true
      case .connection where !["close", "keep-alive"].contains(field.value.lowercased()): return
      default: break
      }
      traits.read(field.name.utf8Span.span, field.value.utf8Span.span)
    }
    var content: StoredBody?
    if response.status == 304, let stale = call.stale {
      traits.readRest(of: stale)
      content = stale.body
    } else if isDelimited, response.body.count <= settings.object {
      var bytes = ByteBuffer(capacity: max(16, response.body.count))
      bytes.append(response.body.span)
      content = StoredBody(bytes)
    }
    let status = response.status == 304 ? call.stale?.status ?? 304 : response.status
    // An upstream that fails does not end what is stored.
    guard response.status < 500, let content else { return }
    let freshness = freshness(traits, status, call)
    guard traits.mayBeStored(status, isAuthorized: call.isAuthorized, freshness) else { return store.remove(call.key) }
    let vary = traits.choice(isPlain: call.stale.map { !$0.vary.contains("accept-encoding") } ?? false)
    let varied = vary.map { request.value($0) }
    insert(CachedAnswer(status: status, traits, freshness, body: content, vary: vary, varied: varied), call)
  }

  func freshness(_ traits: AnswerTraits, _ status: Int, _ call: CacheCall) -> Freshness {
    traits.freshness(
      status, policy, now: services.now, wall: Clock.wall / 1_000_000_000,
      delay: max(0, services.now - call.began) / 1_000_000_000)
  }
}

/// The fields of a request, for an answer that comes when the exchange is over.
struct VariedRequest {
  private var fields: [(name: String, value: [UInt8])] = []

  init(_ request: borrowing RequestMessage) {
    var found: [(name: String, value: [UInt8])] = []
    request.head.headers.forEach(in: request.source) { name, value in
      found.append((AnswerTraits.lower(name), value.indices.map { value[$0] }))
    }
    fields = found
  }

  /// As `VariedField` reads it.
  func value(_ name: String) -> [UInt8]? {
    let values = fields.filter { $0.name == name }.map(\.value)
    return values.isEmpty ? nil : Array(values.joined(separator: [0x2C, 0x20]))
  }
}
