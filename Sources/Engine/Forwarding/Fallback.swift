import HTTP
import Kernel
import PluginKit
import Runtime

/// What a route does instead when its upstream fails, as one worker has it.
struct Fallback {
  enum Way {
    case respond(RespondHandler)
    case upstream(UpstreamPool)
  }

  private let when: [FallbackSettings.Cause]
  let way: Way

  init(_ settings: FallbackSettings, _ pools: [UpstreamPool]) {
    when = settings.when
    way =
      switch settings.way {
      case .respond(let answer): .respond(RespondHandler(answer))
      case .upstream(let index): .upstream(pools[index])
      }
  }

  /// Whether an answer with this status is replaced.
  func covers(status: Int) -> Bool { when.contains(.status(status)) }

  /// Whether a call that ends so goes this way: only what the upstream failed of, or the gateway on the way to it.
  func covers(_ fault: Fault) -> Bool {
    guard fault.origin == .upstream || fault.origin == .gateway else { return false }
    return when.contains { cause in
      switch cause {
      case .status(let status): status == fault.status
      case .timeout: fault.status == 504
      case .circuitOpen: fault.isSame(as: .circuitOpen)
      case .reset: fault.isSame(as: .upstreamReset) || fault.isSame(as: .upstreamTruncated)
      case .connectFailure: Self.connectFaults.contains { fault.isSame(as: $0) }
      }
    }
  }

  private static let connectFaults: [Fault] = [
    .connectRefused, .connectTimeout, .noTarget, .unresolved, .targetCertificateExpired, .targetCertificateNotYetValid,
    .targetUnknownAuthority, .targetWrongHost, .targetBadCertificate, .targetRefusedTLS, .targetHandshakeFailed,
  ]
}

extension Fault {
  /// The answer of a target that a fallback replaces.
  static func upstreamStatus(_ status: Int) -> Fault {
    Fault(.upstream, status, upstreamStatus.reason, upstreamStatus.detail)
  }

  fileprivate func isSame(as other: Fault) -> Bool { "\(reason)" == "\(other.reason)" }
}

extension ServerConnection {
  /// Ends a call that was forwarded: with what was sent, its fallback, or a refusal; whether the connection can go on.
  func conclude(_ slot: ExchangeSlot, _ route: WorkerRoute, _ fault: Fault?) async -> Bool {
    guard let fault else { return slot.keepsConnection }
    if !route.chain.answer.isEmpty, mayAnswerInstead(slot, fault), route.chain.runFailure(fault, &slot.exchange) {
      slot.keepsConnection = false
      return await respond(slot, closing: fault.closes)
    }
    guard let fallback = route.fallback, fallback.covers(fault), mayFallBack(slot, fallback) else {
      return await refuse(fault, slot)
    }
    slot.account.fellBack = true
    worker.metrics.fellBack(slot, fault)
    switch fallback.way {
    case .respond(let handler):
      slot.exchange.fault = fault
      _ = await handler.handle(&slot.exchange)
      return await respond(slot, closing: fault.closes)
    case .upstream(let pool):
      guard let fault = await forwardAnew(slot, route: route, pool: pool) else { return slot.keepsConnection }
      return await refuse(fault, slot)
    }
  }

  /// Whether the call can still go another way: nothing was sent to the client, and another upstream can get all of it.
  func mayFallBack(_ slot: ExchangeSlot, _ fallback: Fallback) -> Bool {
    if slot.account.fellBack || slot.account.responseBegan || isCut || socket.isPeerClosed { return false }
    switch fallback.way {
    // Who speaks gRPC reads a status of its own, which the fault has.
    case .respond: return slot.exchange.rpc == .none
    case .upstream: return slot.uploadBegan && isReplayable(slot)
    }
  }

  /// Sends a request that has been encoded to another upstream, with the time that a call to that one may take.
  ///
  /// It is encoded anew where a hook has something else to ask of that one; hooks do so only of requests without a body.
  private func forwardAnew(_ slot: ExchangeSlot, route: WorkerRoute, pool: UpstreamPool) async -> Fault? {
    prepareRetry(slot)
    slot.history.reset()
    slot.account.upstream = pool
    slot.account.target = nil
    if route.chain.runFallback(&slot.exchange), slot.exchange.request.head.framing == .none {
      slot.outgoing.removeAll()
      worker.encodeRequest(slot, route: route, listener: listener)
    }
    totalDeadline = slot.callerDeadline
    if let total = route.timeouts(of: pool).total { totalDeadline = min(totalDeadline, worker.loop.now + total) }
    pool.upstream.retryBudget.countRequest(now: worker.loop.now)
    return await tryTargets(slot, route: route, pool: pool, resuming: nil)
  }
}
