import AI
import Foreign
import HTTP
import Kernel
import PluginKit

/// Answers in a content coding (RFC 9110 §8.4), which no provider was asked for and some send.
extension ServerConnection {
  /// Takes a whole body out of its coding; false where that cannot be done.
  func decode(_ body: BodyCollector, _ coding: HeldCoding) -> Bool {
    switch coding {
    case .identity: return true
    case .unknown: return false
    case .known(let coding):
      let coded = body.bytes
      var decoded = ByteBuffer(capacity: 4 * coded.count)
      do throws(ContentDecoder.Failure) {
        try ContentDecoder.decode(coded.span, coding, into: &decoded, limit: Self.largestAnswer)
      } catch { return false }
      body.clear()
      body.content.append(decoded.span)
      return true
    }
  }

  /// Gives the client a stream that could only be read whole.
  func replayStream(_ slot: ExchangeSlot, _ call: ConversationCall, _ body: BodyCollector) async
    -> AttemptOutcome
  {
    var stream = ClientStream(isHeld: call.hasNext, isJudged: call.plan?.isAnswerJudged == true)
    if !stream.isHeld { begin(&stream, slot, call) }
    translate(body, call, &stream, slot)
    if let outcome = await finish(&stream, slot, call, nil) { return outcome }
    slot.settleConversation()
    noteFailure(slot, call)
    if let fault = await sendReply(slot) { return .fault(fault) }
    return .done
  }
}
