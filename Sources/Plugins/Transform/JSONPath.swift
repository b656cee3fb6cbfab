import JSON
import Kernel

/// Where something stands in a body: the names of members from the top, and `*` for whatever is there.
///
/// `body.ticket.text` names members; a number names an element of a list where a list is met. A dot within a name is
/// written `\.`.
struct JSONPath: Sendable, Equatable {
  struct Segment: Sendable, Equatable {
    var name: [UInt8]
    /// The name as JSON writes it, with quotes.
    var encoded: [UInt8]
    /// What it means where a list is met.
    var index: Int?
    /// Whether it is `*`: every member, every element.
    var isAny: Bool

    init(_ text: String) {
      name = Array(text.utf8)
      isAny = text == "*"
      index = text.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count < 10 ? Int(text) : nil
      var json = ByteBuffer(capacity: text.utf8.count + 2)
      json.append(json: text)
      encoded = json.span.indices.map { json.span[$0] }
    }
  }

  var segments: [Segment]

  /// - Parameter text: what stands behind `body.`; nil when a name in it is empty.
  init?(_ text: Substring) {
    segments = []
    var name = ""
    var isEscaped = false
    for character in text {
      if !isEscaped, character == "\\" {
        isEscaped = true
      } else if !isEscaped, character == "." {
        if name.isEmpty { return nil }
        segments.append(Segment(name))
        name = ""
      } else {
        name.append(character)
        isEscaped = false
      }
    }
    if name.isEmpty || isEscaped { return nil }
    segments.append(Segment(name))
  }

  /// The whole.
  init() { segments = [] }

  var hasAny: Bool { segments.contains { $0.isAny } }

  /// Whether this is the other one, or leads to something within it.
  func starts(with other: JSONPath) -> Bool { segments.starts(with: other.segments) }

  /// The node that a path without `*` leads to, from a node downwards; nil when there is none.
  func resolve(
    in document: borrowing JSONDocument, from start: Int, _ bytes: Span<UInt8>
  ) throws(JSONError) -> Int? {
    var node = start
    for segment in segments {
      let found: Int?
      if let index = segment.index, document.kind(node) == .array {
        found = document.element(index, of: node)
      } else {
        found = try document.member(segment.name.span, of: node, in: bytes)
      }
      guard let found else { return nil }
      node = found
    }
    return node
  }
}
