/// Puts a whole answer together from the steps of a stream, to be given again.
struct AnswerRecorder {
  /// What is under way, which more of the same kind continues.
  private enum Kind { case text, refusal, reasoning, toolCall }

  private var answer = Answer()
  private var kind: Kind?
  private var text = ""
  private var signature: String?
  private var call = (id: "", name: "")
  private var hasEnded = false
  private var written = 0

  /// Bytes of an answer that is worth the memory; a model writes less.
  private static let longest = 4 << 20

  mutating func take(_ event: Event) {
    switch event {
    case .begin(let head): answer.head = head
    case .text(let more): say(.text, more)
    case .refusal(let more): say(.refusal, more)
    case .reasoning(let more): say(.reasoning, more)
    case .reasoningSignature(let proof):
      say(.reasoning, "")
      signature = (signature ?? "") + proof
    case .opaqueReasoning(let data):
      close()
      answer.parts.append(.reasoning(.opaque(data)))
      written += data.utf8.count
    // What is kept is text.
    case .image: written = Self.longest + 1
    // Whoever gets the answer again cannot prove that it is theirs.
    case .toolSignature: break
    case .toolCall(let id, let name):
      close()
      kind = .toolCall
      call = (id, name)
    case .toolArguments(let more): say(.toolCall, more)
    case .finish(let finish):
      answer.finish = finish
      hasEnded = true
    case .usage(let usage): answer.usage = usage
    case .end: break
    case .failure: hasEnded = false
    }
  }

  /// Takes one that came whole.
  mutating func take(_ whole: Answer) {
    answer = whole
    written = whole.hasImage || whole.hasUnread ? Self.longest + 1 : whole.size
    hasEnded = true
  }

  /// The answer; nil when it is none that anybody wants again: it has not ended, was withheld, or is too long.
  var finished: Answer? {
    guard hasEnded, written <= Self.longest else { return nil }
    var recorder = self
    recorder.close()
    if recorder.answer.parts.isEmpty { return nil }
    switch answer.finish.reason {
    case .stop, .length, .toolCalls: return recorder.answer
    case .filtered, .refusal: return nil
    }
  }

  private mutating func say(_ kind: Kind, _ more: String) {
    if self.kind != kind {
      close()
      self.kind = kind
    }
    written += more.utf8.count
    if written <= Self.longest { text += more }
  }

  private mutating func close() {
    switch kind {
    case .text: answer.parts.append(.text(text))
    case .refusal: answer.parts.append(.refusal(text))
    case .reasoning: answer.parts.append(.reasoning(.text(text, signature: signature)))
    case .toolCall: answer.parts.append(.toolCall(ToolCall(id: call.id, name: call.name, arguments: text)))
    case nil: break
    }
    (kind, text, signature) = (nil, "", nil)
  }
}

extension Answer {
  /// Bytes of all that it says.
  public var size: Int {
    parts.reduce(0) { sum, part in
      if case .reasoning(.opaque(let data)) = part { return sum + data.utf8.count }
      return sum + part.length
    }
  }

  var hasImage: Bool { parts.contains { if case .image = $0 { true } else { false } } }

  /// Bytes of what the model wrote, as limits count them.
  var length: Int { parts.reduce(0) { $0 + $1.length } }

  /// The steps of a stream that says it.
  var events: [Event] {
    // A dialect that says the prompt's tokens says them first.
    var promptOnly = usage
    (promptOnly.output, promptOnly.reasoning) = (0, 0)
    return [.usage(promptOnly), .begin(head)] + parts.flatMap(\.events) + [.finish(finish), .usage(usage), .end]
  }
}

extension Part {
  fileprivate var events: [Event] {
    switch self {
    case .text(let text): [.text(text)]
    case .refusal(let text): [.refusal(text)]
    case .reasoning(.text(let text, let signature)):
      [.reasoning(text)] + (signature.map { [.reasoningSignature($0)] } ?? [])
    case .reasoning(.opaque(let data)): [.opaqueReasoning(data)]
    case .toolCall(let call):
      [.toolCall(id: call.id, name: call.name)] + (call.arguments.isEmpty ? [] : [.toolArguments(call.arguments)])
    // No model answers with these in the dialects that are read.
    case .image(.data(let type, let base64), _): [.image(type: type, base64: base64)]
    case .image, .file, .toolResult: []
    }
  }
}
