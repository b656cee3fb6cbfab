/// What of a request is the user's own.
extension ModelRequest {
  /// The texts that users said: not the instructions, nor what models and tools said; of what is no conversation, the
  /// texts that it is about.
  public var userTexts: [String] {
    if let operation, operation.front == .chat {
      return ["input", "query", "documents", "prompt"].flatMap { Self.texts(of: body[$0]) }
    }
    switch front {
    case .chat, .messages: return said(body["messages"], "content")
    case .responses: return (body["input"]?.string).map { [$0] } ?? said(body["input"], "content")
    case .generate:
      let requests = body["requests"]?.elements ?? [body["generateContentRequest"] ?? body]
      return requests.flatMap { said($0["contents"], "parts") + Self.texts(of: $0["content"]?["parts"]) }
    }
  }

  private func said(_ messages: JSONElement?, _ content: String) -> [String] {
    (messages?.elements ?? []).filter { ($0["role"]?.string ?? (front == .generate ? "user" : "")) == "user" }
      .flatMap { Self.texts(of: $0[content]) }
  }

  /// A text, or the texts of a list of parts.
  private static func texts(of value: JSONElement?) -> [String] {
    if let text = value?.string { return [text] }
    return (value?.elements ?? []).compactMap { $0.string ?? $0["text"]?.string }
  }
}
