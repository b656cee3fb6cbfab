import HTTP
import Kernel
import PluginKit
import Runtime

/// Answers that hooks have kept, in the place of what an upstream said or could not say.
extension ServerConnection {
  /// Shows the upstream's answer to those who keep answers; true when one of them had another, which `reply` then has.
  func replacesAnswer(_ slot: ExchangeSlot, route: WorkerRoute) -> Bool {
    let framing = slot.exchange.response.head.framing
    let isReusable = framing == .none && slot.exchange.response.head.keepAlive
    guard route.chain.runAnswer(&slot.exchange) else { return false }
    slot.hasDroppedAnswer = !isReusable
    slot.download.begin(.none, framing: .plain)
    if let fault = runLocalBodyHooks(slot) { FaultPage.render(fault, into: &slot.exchange) }
    slot.keepsConnection = beginAnswer(slot, closing: !slot.account.requestComplete)
    return true
  }

  /// Whether the client can still be told something else than that the upstream failed.
  func mayAnswerInstead(_ slot: ExchangeSlot, _ fault: Fault) -> Bool {
    guard fault.origin == .upstream || fault.origin == .gateway, fault.status >= 500 else { return false }
    return !slot.account.responseBegan && !isCut && !socket.isPeerClosed && slot.exchange.rpc == .none
  }

  /// Who records the answer that begins: once, and not who recorded one before it.
  func takeRecorder(_ response: inout ResponseMessage) -> BodyRecorder? {
    guard let recorder = response.recorder else { return nil }
    response.recorder = nil
    return recorder
  }

  /// Sends the request to its upstream once more, in the background, for a hook that has answered it already.
  func refresh(_ slot: ExchangeSlot) {
    guard let receiver = slot.exchange.refresher else { return }
    slot.exchange.refresher = nil
    guard let route = slot.route, let pool = route.pool(for: slot, &worker.random) else { return receiver.receive(nil) }
    slot.account.upstream = pool
    if !route.chain.responseBody.isEmpty { askForReadableAnswer(slot) }
    slot.outgoing.removeAll()
    worker.encodeRequest(slot, route: route, listener: listener)
    var octets = ByteBuffer(capacity: slot.outgoing.count)
    octets.append(slot.outgoing.span)
    let methodText = String(slot.exchange.request.methodText)
    let message = ClientMessage(
      copyOf: octets, method: slot.exchange.request.method, methodText, keeping: Self.longestRefresh)
    worker.loop.start((ClientCall(message, to: pool, on: worker), receiver)) { (call, receiver) in
      do throws(Fault) { receiver.receive(try await call.run()) } catch { receiver.receive(nil) }
    }
  }

  private static let longestRefresh = 64 << 20
}
