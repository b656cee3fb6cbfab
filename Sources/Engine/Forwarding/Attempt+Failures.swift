import Kernel
import PluginKit
import Runtime

/// What ends an attempt: broken connections, malformed answers, and deadlines.
extension ServerConnection {
  func resetFailure(_ slot: ExchangeSlot, _ lease: UpstreamConnection) -> AttemptFailure {
    let untouched = slot.exchange.response.buffer.isEmpty
    return AttemptFailure(
      kind: lease.isReused && untouched ? .stale : lease.breakage, fault: lease.protocolFault ?? .upstreamReset,
      sent: slot.outgoingSent > 0 && !lease.isUnprocessed)
  }

  func malformedFailure(_ fault: Fault) -> AttemptFailure {
    AttemptFailure(kind: .malformed, fault: fault, sent: true)
  }

  /// Whose silence a deadline is about.
  enum Expiry { case clientBody, clientReads, targetIdle, firstByte }

  /// Until when to wait for the head, and what it means when that passes.
  func requestDeadline(_ slot: ExchangeSlot, _ timeouts: CallTimeouts) -> (Int, Expiry) {
    if slot.outgoingSent < slot.outgoing.count || slot.upload.waitsForSink {
      return (slot.lastProgress + timeouts.idle, .targetIdle)
    }
    if !slot.upload.finished { return (slot.lastProgress + timeouts.clientBody, .clientBody) }
    return (max(slot.exchange.times.sent, slot.lastProgress) + timeouts.firstByte, .firstByte)
  }

  /// What a passed deadline means; nil when it has not passed after all.
  func expired(_ deadline: Int, _ expiry: Expiry) -> AttemptOutcome? {
    let now = worker.loop.now
    if now >= totalDeadline { return .fault(.totalTimeout) }
    guard now >= deadline else { return nil }
    return switch expiry {
    case .clientBody: .fault(.bodyTimeout)
    case .clientReads: .fault(.clientStalled)
    case .targetIdle: .fault(.idleTimeout)
    case .firstByte: .failed(AttemptFailure(kind: .firstByteTimeout, fault: .firstByteTimeout, sent: true))
    }
  }

  func abandon(_ lease: UpstreamConnection, _ outcome: AttemptOutcome) -> AttemptOutcome {
    lease.pool.close(lease)
    return outcome
  }
}
