import HTTP
import Kernel
import PluginKit
import Runtime

/// Requests that ask to speak WebSocket, and the switch when the target agrees. Any other protocol that a client
/// offers is passed over: the request is served as if it had not (RFC 9110 §7.8).
extension ServerConnection {
  /// Judges the client's part of the handshake, if there is one.
  func checkUpgrade(_ slot: ExchangeSlot) -> Fault? {
    slot.asksWebSocket = false
    guard slot.exchange.request.head.asksUpgrade, Self.asksWebSocket(&slot.exchange) else { return nil }
    slot.asksWebSocket = true
    switch Self.handshakeMistake(&slot.exchange) {
    case nil: return nil
    case .malformed: return .malformedUpgrade
    case .version: return .unknownWebSocketVersion
    }
  }

  private static func asksWebSocket(_ exchange: inout Exchange) -> Bool {
    WebSocketHandshake.isAsked(by: exchange.request.head, exchange.request.source)
  }

  private static func handshakeMistake(_ exchange: inout Exchange) -> WebSocketHandshake.Mistake? {
    do {
      try WebSocketHandshake.check(exchange.request.head, exchange.request.source)
      return nil
    } catch { return error }
  }

  private static func isAccepted(_ exchange: inout Exchange) -> Bool {
    WebSocketHandshake.isAccepted(
      by: exchange.response.head, exchange.response.source, asked: exchange.request.head, exchange.request.source)
  }

  /// The target switches: its head goes to the client, and both connections become a tunnel, which begins when the
  /// task ends.
  @inline(never)
  func switchProtocols(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, route: WorkerRoute, timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    guard Self.isAccepted(&slot.exchange) else { return abandon(lease, .failed(malformedFailure(.upgradeMismatch))) }
    if !route.chain.responseHead.isEmpty { route.chain.runResponseHead(&slot.exchange) }
    slot.keepsConnection = false
    slot.account.status = slot.exchange.response.head.status
    slot.account.responseBegan = true
    worker.encodeSwitch(slot)
    if let fault = await sendReply(slot) { return abandon(lease, .fault(fault)) }
    // No bound on the call holds for a conversation.
    totalDeadline = .max
    tunnel = Tunnel(self, slot, lease, idle: timeouts.tunnel)
    return .done
  }
}
