import AI
import Detection
import Kernel
import PluginKit
import Runtime

/// Answers of which the client gets nothing before somebody has judged all of them.
extension ServerConnection {
  /// Asks about a whole answer; the fault that it is when the client does not get it.
  func judge(_ slot: ExchangeSlot, _ call: ConversationCall) async -> Fault? {
    guard let plan = call.plan, plan.isAnswerJudged else { return nil }
    switch await plan.judgeAnswer() {
    case .passed: return nil
    case .denied(let rule):
      call.isWithheld = true
      return call.deny(rule, &slot.exchange)
    case .unjudged(let rule, let fault):
      call.isWithheld = true
      slot.exchange.brokenRule = rule.name
      return fault
    }
  }

  /// The same at the end of a stream, all of which is held; an outcome when the client does not get it.
  ///
  /// What broke off is not judged, and is as if it had never begun.
  func judge(
    _ stream: inout ClientStream, _ slot: ExchangeSlot, _ call: ConversationCall, _ failure: Failure?
  ) async -> AttemptOutcome? {
    guard stream.isJudged else { return nil }
    var text = ByteBuffer(capacity: 256)
    if let failure { call.answer.fail(failure, into: &text) } else { call.answer.end(into: &text) }
    call.record(text)
    _ = stream.hold(text, call.answer)
    if let rule = call.answer.broken { return await withhold(call.deny(rule, &slot.exchange), slot) }
    if let failure = call.answer.failure {
      call.learn(failure, RetryHint(now: 0), now: worker.loop.now)
      if worker.loop.now < totalDeadline, call.giveUp(failure, now: worker.loop.now) {
        return .fault(.upstreamTruncated)
      }
      slot.settleConversation()
      slot.keepsConnection = await tell(failure, slot, call)
      return .done
    }
    guard let fault = await judge(slot, call) else { return nil }
    return await withhold(fault, slot)
  }

  /// Tells the client that it does not get the answer. No other model is asked.
  func withhold(_ fault: Fault, _ slot: ExchangeSlot) async -> AttemptOutcome {
    slot.settleConversation()
    slot.keepsConnection = await refuse(fault, slot)
    return .done
  }
}
