import Foreign
import Kernel
import Testing

@testable import Plugins

/// What expressions may cost in one body.
@Suite struct MaskEffortTests {
  /// A clock that each look at it moves on.
  private final class Clock: Sendable {
    private let now = Lock(0)
    let step: Int
    init(step: Int) { self.step = step }

    func read() -> Int {
      now.withLock { now in
        now += step
        return now
      }
    }
  }

  private func masked(_ pattern: String, _ body: String, step: Int) throws -> (text: String, exhausted: Int) {
    var side = Mask.Side()
    side.expressions = [("order", try RegularExpression(pattern))]
    let clock = Clock(step: step)
    var mask = BodyMask(side, clock: { clock.read() })
    var out = ByteBuffer(capacity: 1024)
    let isMasked = try mask.apply(to: body.utf8Span.span, MaskWriter(.redact), into: &out)
    let bytes = out.span.indices.map { out.span[$0] }
    return (isMasked ? String(decoding: bytes, as: UTF8.self) : body, mask.counts["exhausted"] ?? 0)
  }

  @Test func `when the expressions have had their time, all further texts are masked whole`() throws {
    // Ten milliseconds and a few for the octets: three looks at this clock.
    let result = try masked("ORD-[0-9]+", #"["see ORD-17","plain","also plain",7]"#, step: 4_000_000)
    #expect(result.text == #"["see [order]","plain","[order]","[order]"]"#)
    #expect(result.exhausted == 2)
  }

  @Test func `a body of many texts has more time`() throws {
    let body = "[" + Array(repeating: #""nothing of that kind""#, count: 1000).joined(separator: ",") + "]"
    let result = try masked("ORD-[0-9]+", body, step: 4_000)
    #expect(result.text == body)
    #expect(result.exhausted == 0)
  }

  @Test func `texts that each take a little less than one may are not searched for ever`() throws {
    let text = "\"" + String(repeating: "a", count: 15) + "\""
    let body = "[" + Array(repeating: text, count: 40_000).joined(separator: ",") + "]"
    var side = Mask.Side()
    side.expressions = [("bad", try RegularExpression("(a+)+[!?]"))]
    var mask = BodyMask(side)
    var out = ByteBuffer(capacity: 1024)
    #expect(try mask.apply(to: body.utf8Span.span, MaskWriter(.redact), into: &out))
    #expect(mask.counts["exhausted", default: 0] > 10_000)
  }
}
