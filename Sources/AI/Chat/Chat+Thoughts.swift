import JSON
import Kernel

/// What models thought, as servers and clients of Chat Completions say it to each other, each in its own way.
extension Chat {
  /// What a message, or a piece of one, says of thoughts beside its content.
  static func readThoughts(of message: JSONElement) throws(Refusal) -> [Thought] {
    // The list says the same as the text, and proves it.
    if let details = message["reasoning_details"], details.isArray {
      let thoughts = try readDetails(details)
      if !thoughts.isEmpty { return thoughts }
    }
    let text = try message.optionalString("reasoning_content") ?? message["reasoning"]?.string ?? ""
    return text.isEmpty ? [] : [.text(text, signature: nil)]
  }

  /// Pieces of one thought follow each other: text, and at last its signature.
  private static func readDetails(_ details: JSONElement) throws(Refusal) -> [Thought] {
    var thoughts: [Thought] = []
    for element in details.elements {
      let isAnthropics = try element.optionalString("format")?.hasPrefix("anthropic") ?? true
      switch try element.optionalString("type") {
      case "reasoning.text":
        let text = try element.optionalString("text") ?? ""
        var signature = isAnthropics ? try element.optionalString("signature") : nil
        if signature?.isEmpty == true { signature = nil }
        if case .text(let before, nil)? = thoughts.last {
          thoughts[thoughts.count - 1] = .text(before + text, signature: signature)
        } else if !text.isEmpty || signature != nil {
          thoughts.append(.text(text, signature: signature))
        }
      case "reasoning.summary":
        let text = try element.optionalString("summary") ?? ""
        if !text.isEmpty { thoughts.append(.text(text, signature: nil)) }
      case "reasoning.encrypted" where isAnthropics:
        if let data = element["data"]?.string { thoughts.append(.opaque(data)) }
      // Other makers' secrets say nothing to whoever could be asked here.
      default: continue
      }
    }
    return thoughts
  }

  /// Reads the text that is a piece of the content among others, as Mistral writes thoughts.
  static func readThinking(_ element: JSONElement) throws(Refusal) -> String {
    guard let thinking = element["thinking"] else { throw .missing("thinking", in: element) }
    if let text = thinking.string { return text }
    var text = ""
    for piece in try thinking.requireArray() { text += try piece.optionalString("text") ?? "" }
    return text
  }

  /// For clients: as a text, and where somebody signed it as a list too, to be sent back.
  static func writeThoughts(_ thoughts: [Thought], into json: inout JSONWriter) {
    json.member("reasoning_content", ifPresent: text(of: thoughts))
    if thoughts.contains(where: \.isProven) { writeDetails(thoughts, into: &json) }
  }

  /// For a server that may have thought so.
  /// - Returns: whether all could be said.
  static func writeThoughts(_ thoughts: [Thought], to place: ChatVariant.Thoughts, into json: inout JSONWriter) -> Bool
  {
    if thoughts.isEmpty { return true }
    switch place {
    case .none, .pieces: return place == .pieces && !thoughts.contains(where: \.isOpaque)
    case .details:
      writeDetails(thoughts, into: &json)
      return true
    case .reasoningContent, .reasoning:
      json.member(place.rawValue, ifPresent: text(of: thoughts))
      return !thoughts.contains(where: \.isOpaque)
    }
  }

  private static func text(of thoughts: [Thought]) -> String? {
    let texts = thoughts.compactMap { if case .text(let text, _) = $0 { text } else { nil } }
    let text = texts.joined()
    return text.isEmpty ? nil : text
  }

  private static func writeDetails(_ thoughts: [Thought], into json: inout JSONWriter) {
    json.array("reasoning_details") {
      for (place, thought) in thoughts.enumerated() { writeDetail(thought, place, into: &$0) }
    }
  }

  static func writeDetail(_ thought: Thought, _ place: Int, into json: inout JSONWriter) {
    json.object {
      switch thought {
      case .text(let text, let signature):
        $0.member("type", "reasoning.text")
        $0.member("text", text)
        $0.member("signature", ifPresent: signature)
      case .opaque(let data):
        $0.member("type", "reasoning.encrypted")
        $0.member("data", data)
      }
      if thought.isProven { $0.member("format", "anthropic-claude-v1") }
      $0.member("index", place)
    }
  }
}

extension Thought {
  var isOpaque: Bool { if case .opaque = self { true } else { false } }

  /// Whether its maker would know it again.
  var isProven: Bool { if case .text(_, nil) = self { false } else { true } }
}
