import Driver
import HTTP
import Kernel

// The first byte of an input chooses request or response and its second how it is cut; the rest is the message.
// Nothing may trap, and a message that arrives in pieces must mean what it means as a whole.

@c(FuzzHTTP_main)
public func main(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
  unsafe fuzz(count, arguments) { start, count in
    // SAFETY: libFuzzer lends `count` bytes for the time of this call.
    let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if input.count > 2 { check(Array(input[2...]), isRequest: input[0] & 1 == 0, step: 1 + Int(input[1] & 31)) }
    return 0
  }
}

/// What a decoder made of the bytes.
private struct Outcome: Equatable {
  var isRefused = false
  var length = 0
  var framing = BodyFraming.none
  var content: [UInt8] = []
  var isDone = false
}

private func check(_ bytes: [UInt8], isRequest: Bool, step: Int) {
  let decode = isRequest ? decodeRequest : decodeResponse
  let whole = decode(bytes, [bytes.count])
  let pieces = decode(bytes, Array(stride(from: step, to: bytes.count, by: step)) + [bytes.count])
  precondition(whole == pieces, "the head means something else in pieces of \(step)")
  if whole.isRefused || whole.length == 0 { return }
  let rest = Array(bytes[whole.length...])
  let body = decodeBody(rest, whole.framing, step: max(1, rest.count))
  let bodyInPieces = decodeBody(rest, whole.framing, step: step)
  precondition(body.isRefused == bodyInPieces.isRefused, "the body is refused only sometimes")
  precondition(body.isRefused || body == bodyInPieces, "the body means something else in pieces of \(step)")
}

private func decodeRequest(_ bytes: [UInt8], _ prefixes: [Int]) -> Outcome {
  var decoder = RequestDecoder(limits: HTTPLimits())
  var head = RequestHead()
  do throws(HTTPError) {
    for prefix in prefixes {
      if try decoder.decode(bytes.span.extracting(0..<prefix), into: &head) {
        return Outcome(length: head.length, framing: head.framing)
      }
    }
    return Outcome()
  } catch {
    return Outcome(isRefused: true)
  }
}

private func decodeResponse(_ bytes: [UInt8], _ prefixes: [Int]) -> Outcome {
  var decoder = ResponseDecoder(limits: HTTPLimits())
  var head = ResponseHead()
  do throws(HTTPError) {
    for prefix in prefixes {
      if try decoder.decode(bytes.span.extracting(0..<prefix), into: &head, answering: .get) {
        return Outcome(length: head.length, framing: head.framing)
      }
    }
    return Outcome()
  } catch {
    return Outcome(isRefused: true)
  }
}

private func decodeBody(_ bytes: [UInt8], _ framing: BodyFraming, step: Int) -> Outcome {
  var decoder = BodyDecoder(framing, limits: HTTPLimits())
  var outcome = Outcome(framing: framing)
  do throws(HTTPError) {
    for start in stride(from: 0, to: bytes.count, by: step) where !outcome.isDone {
      var piece = Array(bytes[start..<min(start + step, bytes.count)])
      var span = piece.mutableSpan
      let taken = try decoder.decode(&span)
      outcome.content += piece[..<taken.produced]
      outcome.length += taken.consumed
      outcome.isDone = taken.done
    }
    return outcome
  } catch {
    return Outcome(isRefused: true)
  }
}
