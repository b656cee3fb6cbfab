import HTTP
import Kernel
import PluginKit
import Telemetry

/// The end of every exchange: its record in the call log and in the metrics.
extension Worker {
  /// Called exactly once for each request, whatever became of it.
  func record(_ slot: ExchangeSlot, on connection: ServerConnection) {
    if let route = slot.route, !route.chain.log.isEmpty {
      for hook in route.chain.log { hook.onEnd(slot.exchange) }
    }
    if let log {
      log.begin(time: slot.exchange.began)
      appendIdentity(slot, to: log)
      appendRequest(slot, to: log)
      appendOutcome(slot, to: log)
      appendDurations(slot, to: log)
      appendHeaders(slot, to: log)
      log.end()
      armFlush()
    }
  }

  private func appendIdentity(_ slot: ExchangeSlot, to log: CallLogQueue) {
    log.append(.requestID, slot.exchange.id.span)
    log.append(.listener, text: slot.exchange.listener)
    var address = ByteBuffer(capacity: 48)
    slot.exchange.client.append(to: &address)
    log.append(.client, address.span)
  }

  private func appendRequest(_ slot: ExchangeSlot, to log: CallLogQueue) {
    guard slot.exchange.request.head.length > 0 else { return }
    log.append(.method, slot.exchange.request.methodText)
    let host = slot.exchange.host
    log.append(.host, host.extracting(HostName.range(in: host)))
    if let route = slot.exchange.route {
      log.append(.route, text: route.name)
      log.append(.template, text: route.template)
    }
    log.append(.path, slot.exchange.path)
    if slot.exchange.request.head.hasQuery { appendQuery(slot, to: log) }
    log.append(.protocol, text: slot.exchange.request.head.minorVersion == 0 ? "HTTP/1.0" : "HTTP/1.1")
  }

  private func appendQuery(_ slot: ExchangeSlot, to log: CallLogQueue) {
    switch current.shared.settings.callLog.query {
    case .full: log.append(.query, slot.exchange.query)
    case .redacted, .names:
      var shown = ByteBuffer(capacity: 256)
      QueryParameters.appendNames(
        of: slot.exchange.query, withMark: current.shared.settings.callLog.query == .redacted, to: &shown)
      log.append(.query, shown.span)
    }
  }

  private func appendOutcome(_ slot: ExchangeSlot, to log: CallLogQueue) {
    if slot.account.status > 0 { log.append(.status, integer: slot.account.status) }
    if let fault = slot.exchange.fault {
      log.append(.fault, text: fault.origin.rawValue)
      log.append(.reason, text: fault.reason)
    }
    if slot.account.clientGone { log.append(.cancelled, text: "client") }
    log.append(.bytesIn, integer: slot.account.bytesIn)
    log.append(.bytesOut, integer: slot.account.bytesOut)
    guard let upstream = slot.account.upstream else { return }
    log.append(.upstream, text: upstream.upstream.settings.name)
    if let target = slot.account.target { log.append(.target, text: target.target.name) }
    if slot.account.attempts > 0 { log.append(.attempts, integer: slot.account.attempts) }
  }

  private func appendDurations(_ slot: ExchangeSlot, to log: CallLogQueue) {
    let times = slot.exchange.times
    log.append(.total, microseconds: times.ended - times.received)
    if times.queued > 0 { log.append(.queue, microseconds: times.queued) }
    if times.connecting > 0 { log.append(.connect, microseconds: times.connecting) }
    if times.firstByte > 0 {
      log.append(.firstByte, microseconds: times.firstByte - times.sent)
      log.append(.body, microseconds: times.ended - times.firstByte)
    }
    log.append(.overhead, microseconds: times.ended - times.received - times.waited)
  }

  private func appendHeaders(_ slot: ExchangeSlot, to log: CallLogQueue) {
    let wanted = current.loggedHeaders
    if !wanted.request.isEmpty {
      log.beginHeaders(.requestHeaders)
      for name in wanted.request {
        if let value = slot.exchange.request.header(named: name) { log.header(name: name.utf8Span.span, value: value) }
      }
      log.endHeaders()
    }
    if !wanted.response.isEmpty, slot.account.status > 0 {
      log.beginHeaders(.responseHeaders)
      for name in wanted.response {
        if let value = slot.exchange.response.header(named: name) { log.header(name: name.utf8Span.span, value: value) }
      }
      log.endHeaders()
    }
  }
}

/// The fields that the call log holds of each message, by their names in lower case.
struct LoggedHeaders {
  let request: [String]
  let response: [String]

  init(_ settings: CallLogSettings) {
    request = settings.requestHeaders
    response = settings.responseHeaders
  }
}
