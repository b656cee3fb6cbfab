import HTTP
import Kernel
import PluginKit
import Telemetry

/// The end of every exchange: its record in the call log and in the metrics.
///
/// The exchange is passed `inout` although nothing changes it: a borrow of a class's noncopyable property is made by
/// copying its kilobyte, an exclusive access by passing its address.
extension Worker {
  /// Called exactly once for each request, whatever became of it.
  func record(_ slot: ExchangeSlot, on connection: ServerConnection) {
    if let route = slot.route, !route.chain.log.isEmpty {
      for hook in route.chain.log { hook.onEnd(&slot.exchange) }
    }
    slot.settleConversation()
    slot.settlePass()
    metrics.exchangeEnded(slot)
    if let call = slot.exchange.remoteCall { metrics.observe(call, status: slot.account.status) }
    if let log {
      log.begin(time: slot.exchange.began)
      log.append(connection.listener.logMembers)
      appendIdentity(&slot.exchange, to: log)
      if let security = connection.security { log.append(security.logMembers) }
      if let route = slot.route, !route.logMembers.isEmpty { log.append(route.logMembers[slot.path]) }
      if slot.exchange.request.head.length > 0 { appendRequest(&slot.exchange, to: log) }
      appendOutcome(slot, to: log)
      if let route = slot.route, !route.chain.observers.isEmpty {
        Self.append(route.chain.observers, of: &slot.exchange, to: log)
      }
      appendDurations(slot.exchange.times, to: log)
      appendHeaders(&slot.exchange, to: log)
      log.end()
      armFlush()
    }
  }

  private func appendIdentity(_ exchange: inout Exchange, to log: CallLogQueue) {
    log.append(.requestID, exchange.id.span)
    if exchange.trace.isActive { Self.append(exchange.trace, to: log) }
    addressText.render(exchange.client)
    Self.append(addressText, to: log)
    if let consumer = exchange.consumer { log.append(.consumer, text: consumer) }
  }

  private static func append(_ trace: TraceContext, to log: CallLogQueue) {
    log.append(.traceID, digits: trace.traceLow, after: trace.traceHigh)
    log.append(.spanID, digits: trace.span)
    if trace.parent != 0 { log.append(.parentID, digits: trace.parent) }
  }

  private static func append(_ client: borrowing AddressText, to log: CallLogQueue) {
    log.append(.client, client.bytes.span)
  }

  private func appendRequest(_ exchange: inout Exchange, to log: CallLogQueue) {
    log.append(.method, exchange.request.methodText)
    appendHost(exchange.host, to: log)
    switch exchange.request.head.form {
    case .origin, .absolute: log.append(.path, exchange.path)
    case .asterisk: log.append(.path, text: "*")
    case .authority: break
    }
    if exchange.request.head.hasQuery { appendQuery(exchange.query, secret: exchange.secretParameter, to: log) }
    log.append(.protocol, text: exchange.version.name)
  }

  /// In lower case: one host is one name to whoever groups lines.
  private func appendHost(_ authority: Span<UInt8>, to log: CallLogQueue) {
    let host = authority.extracting(HostName.range(in: authority))
    if host.isEmpty { return }
    for index in host.indices where host[index] &- UInt8(ascii: "A") < 26 {
      var lower = ByteBuffer(capacity: host.count)
      for index in host.indices {
        lower.append(host[index] &- UInt8(ascii: "A") < 26 ? host[index] | 0x20 : host[index])
      }
      return log.append(.host, lower.span)
    }
    log.append(.host, host)
  }

  /// - Parameter secret: the parameter whose value is not shown at all.
  private func appendQuery(_ query: Span<UInt8>, secret: String?, to log: CallLogQueue) {
    let shown = current.shared.settings.callLog.query
    if shown == .full, secret == nil { return log.append(.query, query) }
    var text = ByteBuffer(capacity: 256)
    if shown == .full, let secret {
      QueryParameters.append(query, hiding: secret.utf8Span.span, to: &text)
    } else {
      QueryParameters.appendNames(of: query, withMark: shown == .redacted, to: &text)
    }
    log.append(.query, text.span)
  }

  private func appendOutcome(_ slot: ExchangeSlot, to log: CallLogQueue) {
    if slot.account.status > 0 { log.append(.status, integer: slot.account.status) }
    if let fault = slot.exchange.fault {
      log.append(.fault, text: fault.origin.word)
      log.append(.reason, text: fault.reason)
      if let rule = slot.exchange.brokenRule { log.append(.rule, text: rule) }
    }
    if slot.account.clientGone {
      log.append(.cancelled, text: "client")
    } else if slot.account.responseBegan, !slot.account.isAnsweredHere, slot.exchange.fault?.origin == .upstream {
      log.append(.cancelled, text: "upstream")
    }
    if slot.exchange.responseViolations > 0 {
      log.append(.responseViolations, integer: slot.exchange.responseViolations)
    }
    if slot.exchange.cacheUse != .none { log.append(.cache, text: slot.exchange.cacheUse.word) }
    if slot.exchange.cacheSimilarity > 0 { log.append(.cacheSimilarity, integer: slot.exchange.cacheSimilarity) }
    if let call = slot.exchange.remoteCall {
      log.append(.mcpMethod, text: call.method)
      if let name = call.name { log.append(.mcpName, text: name) }
    }
    if let status = slot.account.rpcStatus { log.append(.rpcStatus, integer: status) }
    if let side = slot.account.closedBy { log.append(.closedBy, text: side.word) }
    if let code = slot.account.closeCode { log.append(.closeCode, integer: code) }
    if slot.account.bytesIn > 0 { log.append(.bytesIn, integer: slot.account.bytesIn) }
    if slot.account.bytesOut > 0 { log.append(.bytesOut, integer: slot.account.bytesOut) }
    if let prompt = slot.prompt { log.append(.prompt, text: prompt.label) }
    if let call = slot.conversation, call.isKept { append(call, sent: 0, to: log) }
    guard let upstream = slot.account.upstream else { return }
    if let target = slot.account.target {
      log.append(target.logMembers)
    } else {
      log.append(.upstream, text: upstream.upstream.settings.name)
    }
    if slot.account.attempts > 0 { log.append(.attempts, integer: slot.account.attempts) }
    if let call = slot.conversation { append(call, sent: slot.exchange.times.sent, to: log) }
    if let pass = slot.pass { append(pass, to: log) }
  }

  private static func append(_ observers: [DecisionObserver], of exchange: inout Exchange, to log: CallLogQueue) {
    log.beginDecisions()
    for observer in observers {
      guard let decision = observer.decision(of: exchange) else { continue }
      log.decision(plugin: observer.plugin, verdict: decision.word, microseconds: decision.nanoseconds)
    }
    log.endDecisions()
  }

  private func appendDurations(_ times: ExchangeTimes, to log: CallLogQueue) {
    log.append(.total, microseconds: times.ended - times.received)
    if times.queued > 0 { log.append(.queue, microseconds: times.queued) }
    if times.connecting > 0 { log.append(.connect, microseconds: times.connecting) }
    if times.firstByte > 0 {
      log.append(.firstByte, microseconds: times.firstByte - times.sent)
      log.append(.body, microseconds: times.ended - times.firstByte)
    }
    log.append(.overhead, microseconds: times.ended - times.received - times.waited)
  }

  private func appendHeaders(_ exchange: inout Exchange, to log: CallLogQueue) {
    let wanted = current.loggedHeaders
    if !wanted.request.isEmpty, exchange.request.head.length > 0 {
      log.beginHeaders(.requestHeaders)
      for field in wanted.request {
        if field.name == .other {
          if let value = exchange.request.header(named: field.text) { log.header(field.key, value: value) }
        } else if let value = exchange.request.header(field.name) {
          log.header(field.key, value: value)
        }
      }
      log.endHeaders()
    }
    if !wanted.response.isEmpty, exchange.response.head.status > 0 {
      log.beginHeaders(.responseHeaders)
      for field in wanted.response {
        if field.name == .other {
          if let value = exchange.response.header(named: field.text) { log.header(field.key, value: value) }
        } else if let value = exchange.response.header(field.name) {
          log.header(field.key, value: value)
        }
      }
      log.endHeaders()
    }
  }
}

/// The fields that the call log holds of each message, by their names in lower case.
struct LoggedHeaders {
  /// A class, as every call reads it: a copy would count references up and down.
  final class Entry {
    let text: String
    let name: FieldName
    let key: CallLogHeaderKey

    init(_ text: String) {
      self.text = text
      name = FieldName.known(text.utf8Span.span)
      key = CallLogHeaderKey(text)
    }
  }

  let request: [Entry]
  let response: [Entry]

  init(_ settings: CallLogSettings) {
    request = settings.requestHeaders.map { Entry($0) }
    response = settings.responseHeaders.map { Entry($0) }
  }
}
