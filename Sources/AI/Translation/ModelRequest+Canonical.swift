import JSON
import Kernel

/// What makes two requests the same one.
extension ModelRequest {
  /// The request as text that depends on what it says only: not on the order of members, nor on spaces or escapes.
  ///
  /// Dialects differ in what they can say and how they answer, and streams from whole answers, so those are part of it.
  public var canonical: [UInt8] {
    var out = ByteBuffer(capacity: body.document.count + 64)
    for word in ["\(front)", operation?.path ?? "", model, streams ? "stream" : "whole"] {
      out.append(word)
      out.append("\n")
    }
    Self.write(body, to: &out)
    return Self.array(out.span)
  }

  private static func write(_ element: JSONElement, to out: inout ByteBuffer) {
    if element.isObject {
      out.append("{")
      // Of members that stand twice the order counts: which of them is meant is the provider's affair.
      let members = element.members.enumerated().sorted { ($0.element.name, $0.offset) < ($1.element.name, $1.offset) }
      for (_, member) in members {
        out.append(json: member.name.utf8Span.span)
        out.append(":")
        write(member.value, to: &out)
        out.append(",")
      }
      out.append("}")
    } else if element.isArray {
      out.append("[")
      for value in element.elements {
        write(value, to: &out)
        out.append(",")
      }
      out.append("]")
    } else if let text = element.string {
      out.append(json: text.utf8Span.span)
    } else {
      out.append(element.literal)
    }
  }

  /// Whether the answer rests on what the provider keeps, or is kept there to be asked for again: no copy of it can be.
  public func isStored(by back: Back) -> Bool {
    guard front == .responses else { return false }
    return body["previous_response_id"] != nil || body["conversation"] != nil
      || (back == .responses && body["store"]?.flag != false)
  }

  /// How freely tokens are drawn; nil where the request does not say.
  public var temperature: Double? {
    let said = front == .generate ? body["generationConfig"]?["temperature"] : body["temperature"]
    return said.flatMap { Double($0.literal) }
  }

  /// Whether the same request has the same answer anyway: nothing is drawn.
  public var isDetermined: Bool { operation?.isDetermined ?? false }
}
