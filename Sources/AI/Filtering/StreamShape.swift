/// How the events of a stream belong together: which of their texts go on, and where those end.
///
/// A text that goes on from event to event is a channel. Its name begins with what it is a part of: a choice, a block.
struct StreamShape {
  private let front: Front
  private let event: JSONElement
  private let type: String
  /// What the names of channels begin with that end with this event.
  private let ended: [String]
  /// Those of them that go on, although others of the same part end.
  private let going: [String]

  init(_ front: Front, _ event: JSONElement) {
    self.front = front
    self.event = event
    type = event["type"]?.string ?? ""
    var (ended, going): ([String], [String]) = ([], [])
    switch front {
    case .chat:
      for choice in event["choices"]?.elements ?? [] where choice["finish_reason"] != nil {
        ended.append("\(Self.index(choice))/")
      }
      // A thought is whole once it has its proof.
      for choice in event["choices"]?.elements ?? [] {
        let details = choice["delta"]?["reasoning_details"]?.elements ?? []
        if details.contains(where: { $0["signature"] != nil }) {
          ended.append("\(Self.index(choice))/reasoning_details")
        }
      }
      // Transcripts on their way.
      if type.hasSuffix(".done") { ended.append("") }
    case .messages:
      if type == "content_block_stop" { ended.append("\(Self.index(event))/") }
      if type == "message_delta" || type == "message_stop" || type == "error" { ended.append("") }
    case .responses:
      if type.hasSuffix(".done") || !type.hasPrefix("response.") { ended.append("") }
      if type == "response.completed" || type == "response.incomplete" { ended.append("") }
    case .generate:
      for candidate in event["candidates"]?.elements ?? [] {
        let index = Self.index(candidate)
        let parts = candidate["content"]?["parts"]?.elements ?? []
        if candidate["finishReason"] != nil || parts.contains(where: { $0["text"] == nil }) {
          ended.append("\(index)/")
        } else if let last = parts.last {
          // One kind of text ends where another begins.
          ended.append("\(index)/")
          going.append(Self.kind(of: last, index))
        }
      }
    }
    if event["error"] != nil { ended.append("") }
    self.ended = ended
    self.going = going
  }

  /// Whether a channel ends with this event.
  func ends(_ channel: String) -> Bool { !going.contains(channel) && ended.contains { channel.hasPrefix($0) } }

  /// Whether the event says that something is over.
  var endsAnything: Bool { going.isEmpty && !ended.isEmpty }

  /// The channel that a text is a piece of; nil where it stands for itself.
  func channel(of text: FilteredTexts.Found) -> String? {
    guard text.kind == .text || text.kind == .json else { return nil }
    let path = text.path
    switch front {
    case .chat:
      if type.hasSuffix(".delta"), path == ["delta"] { return "0/\(type)" }
      guard path.count >= 4, path[0] == "choices", path[2] == "delta", let choice = element(event["choices"], path[1])
      else { return nil }
      let index = Self.index(choice)
      if path.count == 5, path[3] == "function_call" { return "\(index)/json" }
      if path.count == 7, path[3] == "tool_calls", let call = element(choice["delta"]?["tool_calls"], path[4]) {
        return "\(index)/json/\(Self.index(call))"
      }
      if path[3] == "reasoning_details", path.last != "text", path.last != "summary" { return nil }
      return "\(index)/\(path[3...].joined(separator: "."))"
    case .messages:
      guard type.hasPrefix("content_block_"), path.count == 2, path[0] == "delta" || path[0] == "content_block" else {
        return nil
      }
      guard ["text", "thinking", "partial_json"].contains(path[1]) else { return nil }
      return "\(Self.index(event))/\(path[1] == "partial_json" ? "json" : path[1])"
    case .responses:
      guard type.hasSuffix(".delta"), path == ["delta"] else { return nil }
      return type == "response.function_call_arguments.delta" ? "0/json" : "0/\(type)"
    case .generate:
      guard path.count == 6, path[0] == "candidates", path[2] == "content", path[5] == "text",
        let candidate = element(event["candidates"], path[1])
      else { return nil }
      return Self.kind(of: element(candidate["content"]?["parts"], path[4]), Self.index(candidate))
    }
  }

  /// Whether a channel's text is JSON.
  static func isJSON(_ channel: String) -> Bool { channel.split(separator: "/").dropFirst().first == "json" }

  /// Where an event has its number, in dialects that number them.
  static func number(_ front: Front, _ event: JSONElement) -> Range<Int>? {
    front == .responses ? event["sequence_number"]?.range : nil
  }

  private static func kind(of part: JSONElement?, _ index: Int) -> String {
    "\(index)/\(part?["thought"]?.flag == true ? "thought" : "text")"
  }

  private static func index(_ element: JSONElement) -> Int { element["index"]?.integer ?? 0 }

  private func element(_ list: JSONElement?, _ place: String) -> JSONElement? {
    guard let place = Int(place), let elements = list?.elements, elements.indices.contains(place) else { return nil }
    return elements[place]
  }
}
