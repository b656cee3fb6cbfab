import HTTP
import Kernel
public import PluginKit

extension Cache: PatientRequestHeadHook {
  public func tryRequestHead(_ exchange: inout Exchange) -> Verdict? {
    switch decide(&exchange, mayWait: settings.wait > 0) {
    case .verdict(let verdict): verdict
    case .wait: nil
    }
  }

  public func onRequestHead(_ exchange: inout Exchange) async -> Verdict {
    let began = services.now
    while true {
      let left = began + settings.wait - services.now
      switch decide(&exchange, mayWait: left > 0) {
      case .verdict(let verdict): return verdict
      case .wait(let flight):
        countCollapsed()
        await services.wait(left) { flight.join($0) }
        // It is here now, or is nothing that is kept: then nobody waits a second time.
        if case .verdict(let verdict) = decide(&exchange, mayWait: false) { return verdict }
      }
    }
  }

  private enum Decision {
    case verdict(Verdict)
    case wait(Flight)
  }

  private func decide(_ exchange: inout Exchange, mayWait: Bool) -> Decision {
    let method = exchange.request.method
    guard method == .get || method == .head else { return .verdict(forwardChange(&exchange)) }
    var directives = CacheDirectives()
    guard Self.read(exchange.request, into: &directives) else {
      count(.bypass, &exchange)
      return .verdict(directives.onlyIfCached ? .fail(.notCached) : .proceed)
    }
    key.read(exchange, settings.key, seed: store.seed)
    let found = store.find(key)?.answer(for: exchange.request, &scratch)
    let now = services.now
    if let found {
      let use = found.freshness.use(at: now, directives)
      if use != .revalidate {
        serve(found, use == .fresh ? .hit : .stale, isHeld: found.isHeld(by: exchange.request), &exchange)
        // Without a body to replace it, a HEAD asks nobody anew.
        if use == .staleWhileRevalidating, method == .get { refresh(found, &exchange, directives) }
        return .verdict(.respond)
      }
    }
    if directives.onlyIfCached { return .verdict(.fail(.notCached)) }
    if method == .head {
      count(.bypass, &exchange)
      return .verdict(.proceed)
    }
    return fetch(&exchange, found, directives, mayWait: mayWait)
  }

  /// Reads what the request says of caching; false when it is one that the cache has no part in.
  private static func read(_ request: borrowing RequestMessage, into directives: inout CacheDirectives) -> Bool {
    var found = CacheDirectives()
    request.head.headers.forEachValue(of: .cacheControl, in: request.source) { found.read($0) }
    if !request.head.headers.contains(.cacheControl), request.head.headers.contains(.pragma) {
      request.head.headers.forEachValue(of: .pragma, in: request.source) { found.read($0) }
    }
    directives = found
    if found.noStore || request.head.framing != .none || request.head.asksUpgrade { return false }
    for name in [FieldName.range, .ifMatch, .ifUnmodifiedSince, .ifRange] where request.head.headers.contains(name) {
      return false
    }
    return true
  }

  /// Goes on to the upstream, for others too, or waits for one that does.
  private func fetch(
    _ exchange: inout Exchange, _ stale: CachedAnswer?, _ directives: CacheDirectives, mayWait: Bool
  ) -> Decision {
    var flight: Flight?
    switch store.turn(key, now: services.now) {
    case .lead(let mine): flight = mine
    case .wait(let other): if mayWait { return .wait(other) }
    case .alone: break
    }
    let isAuthorized =
      !keyNamesCaller && (exchange.identity != nil || exchange.request.head.headers.contains(.authorization))
    let call = CacheCall(
      CallKey(key, route: exchange.route?.name ?? ""), began: services.now, isAuthorized: isAuthorized, directives,
      mayStore: true, stale: stale, isHeld: stale?.isHeld(by: exchange.request) ?? false,
      namesCodings: exchange.request.head.headers.contains(.acceptEncoding), flight: flight,
      forwarded: forwarded(stale, directives))
    begin(call, &exchange)
    exchange.cacheUse = .miss
    askAnew(&exchange.request, stale)
    return .verdict(.proceed)
  }

  private func forwarded(_ stale: CachedAnswer?, _ directives: CacheDirectives) -> StaticString {
    guard stale != nil else { return "sluice; fwd=miss" }
    return directives.noCache ? "sluice; fwd=request" : "sluice; fwd=stale"
  }

  /// Puts our condition in the place of the client's: with a 304 for the client there would be nothing to keep.
  func askAnew(_ request: inout RequestMessage, _ stale: CachedAnswer?) {
    request.head.headers.remove(.ifNoneMatch)
    request.head.headers.remove(.ifModifiedSince)
    guard let stale else { return }
    let (etag, modified) = (stale.etag, stale.lastModified)
    if !etag.isEmpty { request.setHeader(named: ByteScan.bytes(of: "If-None-Match"), etag.span) }
    if !modified.isEmpty { request.setHeader(named: ByteScan.bytes(of: "If-Modified-Since"), modified.span) }
  }

  /// A method that may change something: what is stored of the resource goes once the upstream has agreed.
  private func forwardChange(_ exchange: inout Exchange) -> Verdict {
    count(.bypass, &exchange)
    switch exchange.request.method {
    case .options, .trace, .connect: return .proceed
    default: break
    }
    key.read(exchange, settings.key, seed: store.seed)
    let call = CacheCall(
      CallKey(key, route: exchange.route?.name ?? ""), began: services.now, isAuthorized: true, CacheDirectives(),
      mayStore: false, stale: nil, flight: nil, forwarded: "sluice; fwd=method")
    begin(call, &exchange)
    return .proceed
  }
}

extension Fault {
  public static let notCached = Fault(
    .client, 504, "not_cached", "The request asks for a stored answer only (only-if-cached), and there is none.")
}
