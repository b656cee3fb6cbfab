import JSON
import Kernel

/// Amazon Bedrock's Converse: one dialect for the models of many makers.
///
/// (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html)
enum Converse {
  static func write(_ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible) {
    noteLosses(conversation, &lost)
    let sampling = sayable(conversation)
    json.object {
      if !conversation.system.isEmpty {
        $0.array("system") {
          for (place, text) in conversation.system.enumerated() {
            $0.object { $0.member("text", text) }
            writeCachePoint(.system(place), of: conversation, into: &$0)
          }
        }
      }
      $0.array("messages") { writeMessages(conversation, into: &$0, &lost) }
      $0.object("inferenceConfig") {
        $0.member("maxTokens", ifPresent: sampling.maxTokens)
        $0.member("temperature", sampling.temperature)
        $0.member("topP", sampling.topP)
        if !sampling.stop.isEmpty { $0.array("stopSequences") { for stop in sampling.stop { $0.value(stop) } } }
      }
      writeTools(conversation, into: &$0)
      writeFormat(conversation, into: &$0)
      writeOwn(conversation, into: &$0, &lost)
    }
  }

  /// How the next token is drawn, without what the model cannot be told of that.
  private static func sayable(_ conversation: Conversation) -> Sampling {
    var sampling = conversation.sampling
    guard isAnthropics(conversation) else { return sampling }
    let model = ClaudeModel(conversation.model)
    if let temperature = sampling.temperature, !model.allows(temperature) { sampling.temperature = nil }
    if model.decidesAlone { (sampling.topP, sampling.topK) = (nil, nil) }
    return sampling
  }

  /// What only Anthropic's models know, in their maker's words.
  /// (https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html)
  private static func writeOwn(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    guard isAnthropics(conversation) else { return }
    let plan = ThinkingPlan(conversation, &lost)
    let topK = sayable(conversation).topK
    if plan.isEmpty, topK == nil { return }
    json.object("additionalModelRequestFields") {
      $0.member("top_k", topK)
      plan.write(shows: conversation.showsThoughts, into: &$0)
      if let effort = plan.effort { $0.object("output_config") { $0.member("effort", effort) } }
    }
  }

  /// Whether Anthropic made the model, as its id says: `anthropic.…`, or `eu.anthropic.…` of a region's profile.
  private static func isAnthropics(_ conversation: Conversation) -> Bool { conversation.model.contains("anthropic.") }

  private static func noteLosses(_ conversation: Conversation, _ lost: inout Inexpressible) {
    let sampling = conversation.sampling
    if isAnthropics(conversation) {
      ClaudeModel(conversation.model).note(sampling, &lost)
    } else {
      lost.add(.topK, if: sampling.topK)
    }
    lost.add(.frequencyPenalty, if: sampling.frequencyPenalty)
    lost.add(.presencePenalty, if: sampling.presencePenalty)
    lost.add(.seed, if: sampling.seed)
    switch conversation.format {
    case nil: break
    case .json: lost.add(.format)
    case .schema: if answerTool(conversation) == nil, !knowsSchemas(conversation) { lost.add(.format) }
    }
    lost.add(conversation.userField, if: conversation.user)
    lost.add(.parallelTools, if: conversation.parallelTools == false ? false : nil)
    // How much a model thinks is said to each maker's models in another way.
    switch conversation.reasoning {
    case nil, .automatic, .off: break
    case .budget, .effort: if !isAnthropics(conversation) { lost.add(.reasoning) }
    }
    if conversation.toolChoice == ToolChoice.none, !conversation.tools.isEmpty { lost.add(.toolChoice) }
  }

  /// The name of the tool that stands for a schema of the answer, for which this dialect has no other word: the model must
  /// call it, and its arguments are the answer's text. Nil where no schema is asked for, or the client has tools of its own.
  static func answerTool(_ conversation: Conversation) -> String? {
    guard conversation.tools.isEmpty, !knowsSchemas(conversation),
      case .schema(let name, _, _, _)? = conversation.format
    else { return nil }
    return name ?? "answer"
  }

  private static func knowsSchemas(_ conversation: Conversation) -> Bool {
    isAnthropics(conversation) && ClaudeModel(conversation.model).knowsSchemas
  }

  /// A schema of the answer, for models that can be asked for one.
  private static func writeFormat(_ conversation: Conversation, into json: inout JSONWriter) {
    guard knowsSchemas(conversation), case .schema(let name, let description, let schema, _)? = conversation.format
    else {
      return
    }
    json.object("outputConfig") {
      $0.object("textFormat") {
        $0.member("type", "json_schema")
        $0.object("structure") {
          $0.object("jsonSchema") {
            $0.member("schema", schema)
            $0.member("name", ifPresent: name)
            $0.member("description", ifPresent: description)
          }
        }
      }
    }
  }

  private static func withAnswerTool(_ conversation: Conversation) -> Conversation {
    guard let name = answerTool(conversation), case .schema(_, let description, let schema, _)? = conversation.format
    else { return conversation }
    var conversation = conversation
    conversation.tools = [Tool(name: name, description: description, schema: schema)]
    conversation.toolChoice = .tool(name)
    return conversation
  }

  private static func writeTools(_ given: Conversation, into json: inout JSONWriter) {
    let conversation = withAnswerTool(given)
    if conversation.tools.isEmpty { return }
    json.object("toolConfig") {
      $0.array("tools") {
        for (place, tool) in conversation.tools.enumerated() {
          $0.object {
            $0.object("toolSpec") {
              $0.member("name", tool.name)
              $0.member("description", ifPresent: tool.description)
              $0.object("inputSchema") { $0.member("json", literal: tool.schema ?? #"{"type":"object"}"#) }
              if tool.isStrict == true { $0.member("strict", true) }
            }
          }
          writeCachePoint(.tool(place), of: conversation, into: &$0)
        }
      }
      switch conversation.toolChoice {
      case nil, ToolChoice.none?: break
      case .auto: $0.object("toolChoice") { $0.object("auto") { _ in } }
      case .required: $0.object("toolChoice") { $0.object("any") { _ in } }
      case .tool(let name): $0.object("toolChoice") { $0.object("tool") { $0.member("name", name) } }
      }
    }
  }

  /// Sides must take turns: messages of one side that follow each other are one.
  private static func writeMessages(
    _ conversation: Conversation, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    var turns: [[Message]] = []
    for message in conversation.messages {
      if message.role == .system {
        lost.add(.message(message.place, "role"))
      } else if let last = turns.indices.last, turns[last][0].role == message.role {
        turns[last].append(message)
      } else {
        turns.append([message])
      }
    }
    for turn in turns {
      json.object {
        $0.member("role", turn[0].role.rawValue)
        $0.array("content") {
          var number = 0
          for message in turn {
            for (place, part) in message.parts.enumerated() {
              write(part, message.place, number, into: &$0, &lost)
              writeCachePoint(.part(message: message.place, part: place), of: conversation, into: &$0)
              number += 1
            }
          }
        }
      }
    }
  }

  /// (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html)
  private static func writeCachePoint(_ point: CachePoint, of conversation: Conversation, into json: inout JSONWriter) {
    guard conversation.cachePoints.contains(point) else { return }
    json.object { $0.object("cachePoint") { $0.member("type", "default") } }
  }

  private static func write(
    _ part: Part, _ place: Int, _ number: Int, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    switch part {
    case .text(let text), .refusal(let text): json.object { $0.member("text", text) }
    case .image(.data(let type, let base64), _):
      guard
        let format = word(type, ["image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"])
      else { return lost.add(.message(place, part.word)) }
      writeMedia("image", format, base64, name: nil, into: &json)
    case .file(.data(let type, let base64), let name):
      guard let format = word(type, documents) else { return lost.add(.message(place, part.word)) }
      writeMedia("document", format, base64, name: documentName(name, number), into: &json)
    // It has no place for an address, and an id is another provider's.
    case .image, .file: lost.add(.message(place, part.word))
    case .toolCall(let call):
      guard let input = Messages.argumentsObject(call.arguments) else { return lost.add(.message(place, part.word)) }
      json.object {
        $0.object("toolUse") {
          $0.member("toolUseId", call.id)
          $0.member("name", call.name)
          $0.member("input", literal: input)
        }
      }
    case .toolResult(let result):
      json.object {
        $0.object("toolResult") {
          $0.member("toolUseId", result.id)
          $0.array("content") {
            for (number, piece) in result.content.enumerated() { write(piece, place, number, into: &$0, &lost) }
          }
          if result.isError { $0.member("status", "error") }
        }
      }
    case .reasoning(let thought): write(thought, place, into: &json, &lost)
    }
  }

  private static func write(
    _ thought: Thought, _ place: Int, into json: inout JSONWriter, _ lost: inout Inexpressible
  ) {
    switch thought {
    case .text(let text, let signature?):
      json.object {
        $0.object("reasoningContent") {
          $0.object("reasoningText") {
            $0.member("text", text)
            $0.member("signature", signature)
          }
        }
      }
    case .opaque(let data):
      json.object { $0.object("reasoningContent") { $0.member("redactedContent", data) } }
    // Only what a provider has signed is taken back.
    case .text(_, nil): lost.add(.message(place, "reasoning"))
    }
  }

  private static func writeMedia(
    _ kind: String, _ format: String, _ base64: String, name: String?, into json: inout JSONWriter
  ) {
    json.object {
      $0.object(kind) {
        $0.member("format", format)
        $0.member("name", ifPresent: name)
        $0.object("source") { $0.member("bytes", base64) }
      }
    }
  }

  private static let documents = [
    "application/pdf": "pdf", "text/csv": "csv", "text/html": "html", "text/plain": "txt", "text/markdown": "md",
    "application/msword": "doc", "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
  ]

  private static func word(_ type: String, _ words: [String: String]) -> String? { words[type.lowercased()] }

  /// A document must have a name, of letters, digits, single blanks, hyphens and brackets.
  private static func documentName(_ name: String?, _ number: Int) -> String {
    let letters = (name ?? "document \(number + 1)").prefix(200).map { letter in
      letter.isASCII && (letter.isLetter || letter.isNumber || "()[]".contains(letter)) ? letter : " "
    }
    let words = String(letters).split(separator: " ").joined(separator: " ")
    return words.isEmpty ? "document \(number + 1)" : words
  }
}
