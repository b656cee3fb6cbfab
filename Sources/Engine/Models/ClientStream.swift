import AI
import HTTP
import Kernel

/// The client's side of a stream.
struct ClientStream: ~Copyable {
  /// Whether nothing of it has been sent, so that another model may still give the answer.
  var isHeld: Bool
  /// Whether all of it is held, as somebody is asked about it first.
  let isJudged: Bool
  var isChunked = false
  private var held = ByteBuffer(capacity: 0)

  init(isHeld: Bool, isJudged: Bool) {
    self.isHeld = isHeld || isJudged
    self.isJudged = isJudged
  }

  /// Whether more is held than anybody should have to keep.
  var isTooLong: Bool { isJudged && isHeld && held.count > ServerConnection.largestAnswer }

  /// Holds text back; false when the answer has begun, or so much else has come that nobody can wait for it.
  mutating func hold(_ text: borrowing ByteBuffer, _ answer: borrowing ProviderAnswer) -> Bool {
    if isJudged {
      held.append(text.span)
      return true
    }
    let isOfAnswer = answer.hasContent || answer.finish != nil || held.count + text.count > Self.mostHeld
    if isOfAnswer, answer.failure == nil { return false }
    held.append(text.span)
    return true
  }

  mutating func release(into reply: inout ByteBuffer) {
    append(held, to: &reply)
    held = ByteBuffer(capacity: 0)
  }

  func append(_ text: borrowing ByteBuffer, to reply: inout ByteBuffer) {
    if text.isEmpty { return }
    if isChunked { HTTP1Encoder.chunkHeader(text.count, into: &reply) }
    reply.append(text.span)
    if isChunked { reply.append("\r\n") }
  }

  private static let mostHeld = 64 << 10
}
