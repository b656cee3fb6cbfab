import AI

/// What each dialect says in the cases that all of them know.
enum Samples {
  static func requests(_ front: Front) -> [(what: String, body: String)] {
    switch front {
    case .chat:
      [
        ("text", ChatSamples.text), ("tools", ChatSamples.tools), ("image", ChatSamples.image),
        ("structured", ChatSamples.structured),
      ]
    case .messages:
      [
        ("text", MessagesSamples.text), ("tools", MessagesSamples.tools), ("image", MessagesSamples.image),
        ("structured", MessagesSamples.structured),
      ]
    case .responses:
      [
        ("text", ResponsesSamples.text), ("tools", ResponsesSamples.tools), ("image", ResponsesSamples.image),
        ("structured", ResponsesSamples.structured),
      ]
    case .generate:
      [
        ("text", GenerateSamples.text), ("tools", GenerateSamples.tools), ("image", GenerateSamples.image),
        ("structured", GenerateSamples.structured),
      ]
    }
  }

  static func stream(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.stream
    case .anthropic: MessagesSamples.stream
    case .gemini: GenerateSamples.stream
    case .bedrock, .responses: ""
    }
  }

  static func streamWithTools(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.streamWithTools
    case .anthropic: MessagesSamples.streamWithTools
    case .gemini: GenerateSamples.streamWithTools
    case .bedrock, .responses: ""
    }
  }

  static func streamWithError(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.streamWithError
    case .anthropic: MessagesSamples.streamWithError
    case .gemini: GenerateSamples.streamWithError
    case .bedrock, .responses: ""
    }
  }

  static func answer(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.answer
    case .anthropic: MessagesSamples.answer
    case .gemini: GenerateSamples.answer
    case .bedrock, .responses: ""
    }
  }

  static func answerWithTools(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.answerWithTools
    case .anthropic: MessagesSamples.answerWithTools
    case .gemini: GenerateSamples.answerWithTools
    case .bedrock, .responses: ""
    }
  }

  static func error(_ back: Back) -> String {
    switch back {
    case .openai: ChatSamples.error
    case .anthropic: MessagesSamples.error
    case .gemini: GenerateSamples.error
    case .bedrock, .responses: ""
    }
  }

  /// A request whose answer is a stream, with everything at its default.
  static func streaming(_ front: Front) -> String {
    switch front {
    case .chat:
      #"{"model":"fast","messages":[{"role":"user","content":"Hello"}],"stream":true,"stream_options":{"include_usage":true}}"#
    case .messages: #"{"model":"fast","max_tokens":9,"messages":[{"role":"user","content":"Hello"}],"stream":true}"#
    case .responses: #"{"model":"fast","input":"Hello","stream":true}"#
    case .generate: #"{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}"#
    }
  }
}

extension Back {
  /// Those whose streams are text; Bedrock has tests of its own.
  static let textual: [Back] = [.openai, .anthropic, .gemini]
}
