extension Answer {
  /// What a tool that stands for the answer was called with is the answer, where a provider takes a schema only as a tool.
  func asText(from tool: String) -> Answer {
    var answer = self
    guard answer.parts.contains(where: { if case .toolCall = $0 { true } else { false } }) else { return answer }
    answer.parts = answer.parts.compactMap { part in
      switch part {
      case .toolCall(let call): call.name == tool ? .text(call.arguments) : nil
      // A word before the call is none of the document.
      case .text: nil
      default: part
      }
    }
    if answer.finish.reason == .toolCalls { answer.finish = Finish(.stop) }
    return answer
  }
}

extension Event {
  /// The same of a stream. There is no other tool that could be called.
  var asText: Event? {
    switch self {
    case .toolCall: nil
    case .toolArguments(let text): .text(text)
    case .finish(let finish) where finish.reason == .toolCalls: .finish(Finish(.stop))
    default: self
    }
  }
}
