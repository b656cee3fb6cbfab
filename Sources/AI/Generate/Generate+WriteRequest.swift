import JSON
import Kernel

extension Generate {
  static func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    lost.add(.parallelTools, if: conversation.parallelTools == false ? false : nil)
    lost.add(conversation.userField, if: conversation.user)
    json.object {
      if !conversation.system.isEmpty {
        $0.object("systemInstruction") {
          $0.array("parts") { for text in conversation.system { $0.object { $0.member("text", text) } } }
        }
      }
      $0.array("contents") { writeContents(conversation, into: &$0, &lost) }
      writeTools(conversation, into: &$0, &lost)
      $0.object("generationConfig") { writeConfig(conversation, into: &$0, &lost) }
    }
  }

  private static func writeTools(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    guard !conversation.tools.isEmpty else { return }
    json.array("tools") {
      $0.object {
        $0.array("functionDeclarations") {
          for tool in conversation.tools {
            $0.object {
              $0.member("name", tool.name)
              $0.member("description", tool.description ?? tool.name)
              if let schema = tool.schema { $0.member("parametersJsonSchema", literal: schema) }
            }
          }
        }
      }
    }
    // Calls that must follow their schema are a mode of all tools here; forced ones always do.
    let isStrict = conversation.tools.contains { $0.isStrict == true }
    guard let choice = conversation.toolChoice ?? (isStrict ? .auto : nil) else { return }
    if isStrict, version(of: conversation.model) == nil { lost.add(.strictTools) }
    json.object("toolConfig") {
      $0.object("functionCallingConfig") {
        switch choice {
        case .auto: $0.member("mode", isStrict ? "VALIDATED" : "AUTO")
        case .none: $0.member("mode", "NONE")
        case .required: $0.member("mode", "ANY")
        case .tool(let name):
          $0.member("mode", "ANY")
          $0.array("allowedFunctionNames") { $0.value(name) }
        }
      }
    }
  }

  private static func writeConfig(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    let sampling = conversation.sampling
    json.member("temperature", sampling.temperature)
    json.member("topP", sampling.topP)
    json.member("topK", sampling.topK)
    json.member("frequencyPenalty", sampling.frequencyPenalty)
    json.member("presencePenalty", sampling.presencePenalty)
    json.member("seed", sampling.seed)
    json.member("maxOutputTokens", ifPresent: sampling.maxTokens)
    if !sampling.stop.isEmpty { json.array("stopSequences") { for stop in sampling.stop { $0.value(stop) } } }
    switch conversation.format {
    case nil: break
    case .json: json.member("responseMimeType", "application/json")
    case .schema:
      json.member("responseMimeType", "application/json")
      if let schema = conversation.answerSchema { json.member("responseJsonSchema", literal: schema) }
    }
    writeThinking(conversation, into: &json, &lost)
  }

  /// What an effort is in tokens, for models that know no levels, as Google itself says.
  /// (https://ai.google.dev/gemini-api/docs/openai)
  static let budgets = ["minimal": 1024, "low": 1024, "medium": 8192, "high": 24_576]

  private static func writeThinking(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    let isFree = conversation.reasoning == nil || conversation.reasoning == .automatic
    if isFree, !conversation.showsThoughts { return }
    json.object("thinkingConfig") {
      switch conversation.reasoning {
      case nil, .automatic: break
      case .off: $0.member("thinkingBudget", 0)
      case .budget(let tokens): $0.member("thinkingBudget", tokens)
      case .effort(let effort) where version(of: conversation.model).map { $0 < 3 } ?? false:
        if let tokens = budgets[effort] { $0.member("thinkingBudget", tokens) } else { lost.add(.reasoning) }
      case .effort(let effort): $0.member("thinkingLevel", effort)
      }
      if conversation.showsThoughts { $0.member("includeThoughts", true) }
    }
  }

  /// Turns of one side that follow each other are one: results of calls made at once belong together.
  private static func writeContents(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    let names = toolNames(conversation)
    for message in conversation.messages {
      guard message.role != .system else {
        lost.add(.message(message.place, "role"))
        continue
      }
      json.object {
        $0.member("role", message.role == .assistant ? "model" : "user")
        $0.array("parts") {
          for part in signed(message.parts, for: conversation.model) {
            write(part, message.place, names, into: &$0, &lost)
          }
        }
      }
    }
  }

  /// With a signature where the model wants one: of calls made at once the first has it, and clients lose it, or have the
  /// call from somebody else. Google's own word for that says so.
  /// (https://ai.google.dev/gemini-api/docs/thought-signatures)
  private static func signed(_ parts: [Part], for model: String) -> [Part] {
    let first = parts.firstIndex { if case .toolCall = $0 { true } else { false } }
    guard let first, case .toolCall(var call) = parts[first], call.signature == nil, wantsSignatures(model) else {
      return parts
    }
    var parts = parts
    call.signature = "skip_thought_signature_validator"
    parts[first] = .toolCall(call)
    return parts
  }

  /// Models from Gemini 3 on.
  private static func wantsSignatures(_ model: String) -> Bool { version(of: model).map { $0 >= 3 } ?? false }

  /// The number in a model's name, that of the newest for one that is always the latest; nil for others than Gemini.
  private static func version(of model: String) -> Int? {
    let name = model.split(separator: "/").last ?? ""
    guard name.hasPrefix("gemini-") else { return nil }
    let version = name.dropFirst("gemini-".count).prefix { $0.isNumber }
    return Int(version) ?? (name.hasSuffix("-latest") ? Int.max : nil)
  }

  /// A result says which tool it is of; other dialects say only which call.
  private static func toolNames(_ conversation: Conversation) -> [String: String] {
    var names: [String: String] = [:]
    for message in conversation.messages {
      for case .toolCall(let call) in message.parts { names[call.id] = call.name }
    }
    return names
  }

  private static func write(
    _ part: Part, _ place: Int, _ names: [String: String], into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    switch part {
    case .text(let text), .refusal(let text): json.object { $0.member("text", text) }
    case .image(.data(let type, let base64), _), .file(.data(let type, let base64), _):
      write(type, base64, into: &json)
    // Its type would have to be known, and an id is another provider's.
    case .image, .file: lost.add(.message(place, part.word))
    case .toolCall(let call):
      guard let arguments = Messages.argumentsObject(call.arguments) else {
        return lost.add(.message(place, part.word))
      }
      json.object {
        $0.object("functionCall") {
          $0.member("id", call.id)
          $0.member("name", call.name)
          $0.member("args", literal: arguments)
        }
        $0.member("thoughtSignature", ifPresent: call.signature)
      }
    case .toolResult(let result): write(result, place, names, into: &json, &lost)
    case .reasoning: lost.add(.message(place, part.word))
    }
  }

  static func write(_ type: String, _ base64: String, into json: inout JSONWriter) {
    json.object {
      $0.object("inlineData") {
        $0.member("mimeType", type)
        $0.member("data", base64)
      }
    }
  }

  private static func write(
    _ result: ToolResult, _ place: Int, _ names: [String: String], into json: inout JSONWriter,
    _ lost: inout Inexpressible
  ) {
    var text = ""
    var media: [(type: String, base64: String)] = []
    for part in result.content {
      switch part {
      case .text(let piece): text += piece
      case .image(.data(let type, let base64), _), .file(.data(let type, let base64), _): media.append((type, base64))
      default: lost.add(.message(place, part.word))
      }
    }
    guard let name = result.name ?? names[result.id] else { return lost.add(.message(place, "tool_call_id")) }
    json.object {
      $0.object("functionResponse") {
        if !result.id.isEmpty { $0.member("id", result.id) }
        $0.member("name", name)
        $0.object("response") { $0.member(result.isError ? "error" : "output", text) }
        if !media.isEmpty { $0.array("parts") { for piece in media { write(piece.type, piece.base64, into: &$0) } } }
      }
    }
  }
}
