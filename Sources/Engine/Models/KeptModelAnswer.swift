import AI
import Kernel
import PluginKit

/// A model's answer that is kept, in no dialect's words.
final class KeptModelAnswer: KeptAnswer {
  let answer: Answer
  let size: Int

  init(_ answer: Answer) {
    self.answer = answer
    size = answer.size + answer.parts.count * MemoryLayout<Part>.stride
  }

  var octets: [UInt8]? { answer.octets }
}

extension ServerConnection {
  /// Gives the client an answer that was kept; whether the connection can go on.
  ///
  /// All of a stream is there, so it has a length as any answer, and goes as fast as the client reads.
  func replay(_ kept: KeptModelAnswer, _ slot: ExchangeSlot, _ call: ConversationCall) async -> Bool {
    var out = ByteBuffer(capacity: kept.size + 1024)
    call.replay(kept, into: &out)
    slot.settleConversation()
    if let rule = call.answer.broken {
      let fault = call.deny(rule, &slot.exchange)
      if !call.request.streams { return await refuse(fault, slot) }
      slot.exchange.fault = fault
    } else if let fault = await judge(slot, call) {
      return await refuse(fault, slot)
    }
    slot.exchange.response.begin(status: 200)
    if call.request.streams {
      slot.exchange.response.addHeader("Content-Type", "text/event-stream; charset=utf-8")
      slot.exchange.response.addHeader("Cache-Control", "no-cache")
    } else {
      slot.exchange.response.addHeader("Content-Type", "application/json")
    }
    tellDropped(call, &slot.exchange)
    slot.exchange.response.body.append(out.span)
    return await respond(slot)
  }
}
