import Foreign
import HTTP
import PluginKit
import Telemetry

/// What one worker counts: plain numbers on its own thread, gathered when the page is asked for.
final class WorkerMetrics {
  let shard = MetricShard()
  private var durations = SeriesCache()
  private var attempts = SeriesCache()
  private var calls = SeriesCache()
  private var expiries = CertificateExpiries()
  private var received = SeriesCache()
  private var sent = SeriesCache()
  /// Of models, by who runs them and what they are called; as many as the configuration names.
  var models: [ModelSeries.Key: ModelSeries] = [:]
  private var faults: [FaultKey: SeriesIndex] = [:]
  /// What plugins count, and how much of it has been gathered.
  private var plugins: [PluginSeries: (counter: PluginCounter, series: SeriesIndex, gathered: Int)] = [:]
  private var connections: [String: (open: SeriesIndex, accepted: SeriesIndex)] = [:]
  private let overhead: SeriesIndex
  /// By method; the second half is of calls under TLS.
  private let active: [SeriesIndex]

  private struct FaultKey: Hashable {
    let route: Int
    let reason: String
  }

  private struct PluginSeries: Hashable {
    let metric: String
    let labels: [String]
  }

  /// The route number of requests that matched none.
  private static let noRoute = 0xffff_fffe
  /// Beside a status, which has three digits.
  private static let secureMark: UInt16 = 0x8000

  init() {
    overhead = shard.series(.overhead)
    active = ["http", "https"].flatMap { [shard] scheme in
      Method.allCases.map { shard.series(.serverActiveRequests, [Self.name(of: $0), scheme]) }
    }
  }

  // MARK: Connections

  func connectionOpened(_ listener: ListenerIdentity) {
    let series = self.series(of: listener)
    shard.add(series.open)
    shard.add(series.accepted)
  }

  func connectionClosed(_ listener: ListenerIdentity) { shard.add(series(of: listener).open, -1) }

  func connectionRefused(_ listener: ListenerIdentity, reason: String) {
    shard.add(shard.series(.refusedConnections, [listener.name, reason]))
  }

  /// A handshake has ended; with `ok` it says how.
  func shookHands(_ listener: ListenerIdentity, outcome: String, version: String, isResumed: Bool) {
    let resumed = version.isEmpty ? "" : isResumed ? "true" : "false"
    shard.add(shard.series(.tlsHandshakes, [listener.name, outcome, version, resumed]))
  }

  private func series(of listener: ListenerIdentity) -> (open: SeriesIndex, accepted: SeriesIndex) {
    if let known = connections[listener.name] { return known }
    let made = (
      open: shard.series(.connections, [listener.name]), accepted: shard.series(.acceptedConnections, [listener.name])
    )
    connections[listener.name] = made
    return made
  }

  /// A client of HTTP/2 did what is not allowed.
  func http2Refused(_ listener: ListenerIdentity, _ why: String) {
    shard.add(shard.series(.http2Refused, [listener.name, why]))
  }

  // MARK: Exchanges

  private func active(_ method: Method, isSecure: Bool) -> SeriesIndex {
    active[Int(method.rawValue) + (isSecure ? Method.allCases.count : 0)]
  }

  func exchangeBegan(_ method: Method, isSecure: Bool) { shard.add(active(method, isSecure: isSecure)) }

  func exchangeEnded(_ slot: ExchangeSlot) {
    let isSecure = slot.exchange.isSecure
    let times = slot.exchange.times
    let number = slot.route.map { $0.number + slot.path } ?? Self.noRoute
    let method = slot.exchange.request.method
    shard.add(active(method, isSecure: isSecure), -1)
    let key = slot.exchange.version.rawValue << 5 | method.rawValue
    let status = slot.account.status
    let kind = UInt16(truncatingIfNeeded: status) | (isSecure ? Self.secureMark : 0)
    // A fault's reason is part of the series; faults are rare enough to be looked up by their labels.
    let series =
      slot.exchange.fault != nil
      ? durationSeries(slot) : durations.index(number, key, kind) { durationSeries(slot) }
    shard.observe(series, nanoseconds: times.ended - times.received)
    if slot.exchange.rpc != .none { observeCall(slot, number) }
    if let call = slot.conversation { observe(call, slot) }
    if let pass = slot.pass { observe(pass, slot) }
    if let prompt = slot.prompt { observe(prompt, slot.conversation) }
    shard.observe(overhead, nanoseconds: times.ended - times.received - times.waited)
    if slot.account.bytesIn > 0 || slot.account.bytesOut > 0 { countBodies(slot, number) }
    if let fault = slot.exchange.fault { count(fault, route: number, template: slot.exchange.route?.template ?? "") }
  }

  private func durationSeries(_ slot: ExchangeSlot) -> SeriesIndex {
    let status = slot.account.status
    return shard.series(
      .serverRequestDuration,
      [
        Self.name(of: slot.exchange.request.method), status == 0 ? "" : "\(status)",
        slot.exchange.route?.template ?? "", slot.exchange.isSecure ? "https" : "http",
        "\(slot.exchange.version.number)",
        Self.errorType(status, slot.exchange.fault),
      ])
  }

  private func observeCall(_ slot: ExchangeSlot, _ number: Int) {
    let given = slot.account.rpcStatus ?? 2
    let status = given <= GRPC.lastStatus ? given : 2
    let series = calls.index(number, 0, UInt16(status)) {
      shard.series(.rpcServerDuration, ["grpc", "\(status)", slot.exchange.route?.template ?? ""])
    }
    shard.observe(series, nanoseconds: slot.exchange.times.ended - slot.exchange.times.received)
  }

  private func countBodies(_ slot: ExchangeSlot, _ number: Int) {
    let received = received.index(number, 0, 0) {
      shard.series(.requestBodyBytes, [slot.exchange.route?.template ?? ""])
    }
    shard.add(received, slot.account.bytesIn)
    let sent = sent.index(number, 0, 0) {
      shard.series(.responseBodyBytes, [slot.exchange.route?.template ?? ""])
    }
    shard.add(sent, slot.account.bytesOut)
  }

  private func count(_ fault: Fault, route: Int, template: String) {
    let key = FaultKey(route: route, reason: "\(fault.reason)")
    if let series = faults[key] { return shard.add(series) }
    if faults.count > 8_192 { faults.removeAll() }
    let series = shard.series(.faults, [template, fault.origin.rawValue, key.reason])
    faults[key] = series
    shard.add(series)
  }

  // MARK: Tunnels

  func tunnelOpened(_ slot: ExchangeSlot) { shard.add(tunnels(slot)) }

  func tunnelClosed(_ slot: ExchangeSlot) { shard.add(tunnels(slot), -1) }

  private func tunnels(_ slot: ExchangeSlot) -> SeriesIndex {
    shard.series(.tunnels, [slot.exchange.route?.template ?? "", "websocket"])
  }

  // MARK: Attempts

  /// One attempt at a target, over a connection that was had.
  func attemptEnded(_ slot: ExchangeSlot, upstream: UpstreamPool, began: Int, ended: Int, _ outcome: AttemptOutcome) {
    attemptEnded(
      slot.exchange.request.method, status: outcome.isFailure ? 0 : slot.exchange.response.head.status,
      upstream: upstream, began: began, ended: ended, why: outcome.word)
  }

  /// - Parameters:
  ///   - status: 0 when there was none.
  ///   - why: what a failed attempt failed of.
  func attemptEnded(_ method: Method, status: Int, upstream: UpstreamPool, began: Int, ended: Int, why: String) {
    let series =
      status == 0
      ? attemptSeries(method, "", upstream, why)
      : attempts.index(upstream.number, method.rawValue, UInt16(status)) {
        attemptSeries(method, "\(status)", upstream, Self.errorType(status, nil))
      }
    shard.observe(series, nanoseconds: ended - began)
  }

  /// Settings are read here alone: to hold them is to copy all of them, which a call that has its series is spared.
  private func attemptSeries(_ method: Method, _ status: String, _ upstream: UpstreamPool, _ why: String) -> SeriesIndex
  {
    let settings = upstream.upstream.settings
    return shard.series(
      .clientRequestDuration, [settings.name, Self.name(of: method), status, settings.speaks.version, why])
  }

  func retried(_ upstream: UpstreamPool, reason: String) {
    shard.add(shard.series(.retries, [upstream.upstream.settings.name, reason]))
  }

  func retryDenied(_ upstream: UpstreamPool) {
    shard.add(shard.series(.retriesDenied, [upstream.upstream.settings.name]))
  }

  func connected(_ target: TargetPool, outcome: String) {
    shard.add(
      shard.series(.upstreamConnects, [target.pool.upstream.settings.name, target.target.name, outcome]))
  }

  func breakerOpened(_ target: TargetPool) {
    shard.add(shard.series(.breakerOpened, [target.pool.upstream.settings.name, target.target.name]))
  }

  func queued(_ upstream: UpstreamPool, nanoseconds: Int) {
    shard.observe(
      shard.series(.queueDuration, [upstream.upstream.settings.name]), nanoseconds: nanoseconds)
  }

  // MARK: Plugins

  /// The series of a plugin's metric: the same counter for the same labels, also after a reload.
  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter {
    let key = PluginSeries(metric: metric.name, labels: labels)
    if let known = plugins[key] { return known.counter }
    let counter = PluginCounter()
    plugins[key] = (counter, shard.series(MetricFamily(metric), labels), 0)
    return counter
  }

  /// What was counted since the last time: beyond the shard's cap several counters have one series.
  private func gatherPlugins() {
    for (key, entry) in plugins where entry.counter.value != entry.gathered {
      shard.add(entry.series, entry.counter.value - entry.gathered)
      plugins[key]?.gathered = entry.counter.value
    }
  }

  // MARK: Gathering

  /// What there is now, with the gauges of the pools.
  func snapshot(_ pools: [UpstreamPool], _ listeners: [ListenerSettings]) -> MetricSnapshot {
    expiries.gather(listeners, into: shard)
    // Upstreams and targets come and go.
    shard.unset(.queuedRequests)
    shard.unset(.upstreamConnections)
    for pool in pools {
      let name = pool.upstream.settings.name
      shard.gather(shard.series(.queuedRequests, [name]), pool.queueLength)
      for target in pool.targets {
        shard.gather(shard.series(.upstreamConnections, [name, target.target.name, "idle"]), target.idleCount)
        shard.gather(shard.series(.upstreamConnections, [name, target.target.name, "active"]), target.activeCount)
      }
    }
    gatherPlugins()
    return shard.snapshot()
  }

  /// Routes are numbered anew by a reload.
  func forgetRoutes() {
    durations.removeAll()
    attempts.removeAll()
    calls.removeAll()
    received.removeAll()
    sent.removeAll()
    faults.removeAll()
  }

  /// `error.type` as OpenTelemetry has it: what the gateway says went wrong, or the status of a failed answer.
  private static func errorType(_ status: Int, _ fault: Fault?) -> String {
    if let fault { return "\(fault.reason)" }
    return status >= 500 ? "\(status)" : ""
  }

  /// An unknown method is `_OTHER`, so that clients cannot make series.
  private static func name(of method: Method) -> String {
    switch method {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    case .trace: "TRACE"
    case .connect: "CONNECT"
    case .other: "_OTHER"
    }
  }
}

extension MetricFamily {
  fileprivate init(_ metric: PluginMetric) {
    let kind: Kind =
      switch metric.kind {
      case .counter: .counter
      case .gauge: .gauge()
      }
    self.init(metric.name, kind, labels: metric.labels, metric.help)
  }
}
