/// OpenAI's Responses, as a front. Nothing is stored: a conversation is what the request says.
///
/// https://platform.openai.com/docs/api-reference/responses
public enum Responses {}

extension Responses {
  static func read(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> Conversation {
    var conversation = Conversation()
    for (name, value) in try body.requireObject().members where !value.isNull {
      switch name {
      case "model": conversation.model = try value.requireString()
      case "instructions": conversation.system.insert(try value.requireString(), at: 0)
      case "input": try readInput(value, into: &conversation, &losses)
      case "tools": conversation.tools = try readTools(value, &losses)
      case "tool_choice": conversation.toolChoice = try readToolChoice(value, &losses)
      case "parallel_tool_calls": conversation.parallelTools = try value.requireFlag()
      case "temperature": conversation.sampling.temperature = try value.requireNumber()
      case "top_p": conversation.sampling.topP = try value.requireNumber()
      case "max_output_tokens": conversation.sampling.maxTokens = try value.requireInteger()
      case "text": conversation.format = try readText(value, &losses)
      case "reasoning": try readReasoning(value, into: &conversation, &losses)
      case "stream": conversation.streams = try value.requireFlag()
      case "stream_options": value.noteOthers(than: ["include_obfuscation"], &losses)
      case "user", "safety_identifier":
        conversation.user = try value.requireString()
        conversation.userField = name == "user" ? .user : .safetyIdentifier
      case "store" where value.flag == false, "background" where value.flag == false: break
      case "truncation" where value.string == "disabled": break
      case "service_tier" where value.string == "auto" || value.string == "default": break
      case "metadata" where value.members.isEmpty: break
      case "prompt_cache_key", "prompt_cache_retention", "service_tier", "metadata":
        losses.add(ChatMember(name: name, literal: value.literal), name)
      // Thoughts come with what proves them, whoever asks.
      case "include":
        for element in try value.requireArray() where element.string != "reasoning.encrypted_content" {
          losses.add(element)
        }
      default: losses.add(value)
      }
    }
    for name in ["model", "input"] where body[name] == nil { throw .missing(name, in: body) }
    conversation.wantsUsage = true
    return conversation
  }

  private static func readInput(
    _ input: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    if let text = input.string { return conversation.messages.append(Message(.user, [.text(text)], place: 0)) }
    for (place, item) in try input.requireArray().enumerated() {
      switch try item.optionalString("type") ?? "message" {
      case "message": try readMessage(item, place: place, into: &conversation, &losses)
      case "function_call":
        item.noteOthers(than: ["type", "id", "call_id", "name", "arguments", "status"], &losses)
        let call = ToolCall(
          id: try item.requireString("call_id"), name: try item.requireString("name"),
          arguments: try item.requireString("arguments"))
        append(.toolCall(call), .assistant, place, to: &conversation.messages)
      case "function_call_output":
        item.noteOthers(than: ["type", "id", "call_id", "output", "status"], &losses)
        let content = try readContent(try item.requireMember("output"), &losses)
        let result = ToolResult(id: try item.requireString("call_id"), content: content)
        append(.toolResult(result), .user, place, to: &conversation.messages)
      case "reasoning":
        if let thought = try readThought(item, &losses) {
          append(.reasoning(thought), .assistant, place, to: &conversation.messages)
        }
      default: losses.add(item)
      }
    }
  }

  /// What one side says in a row belongs to one turn: calls that were made at once, and their results.
  private static func append(_ part: Part, _ role: Message.Role, _ place: Int, to messages: inout [Message]) {
    if let last = messages.indices.last, messages[last].role == role {
      messages[last].parts.append(part)
    } else {
      messages.append(Message(role, [part], place: place))
    }
  }

  private static func readMessage(
    _ item: JSONElement, place: Int, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    item.noteOthers(than: ["type", "id", "role", "content", "status", "phase"], &losses)
    let content = try readContent(try item.requireMember("content"), &losses)
    switch try item.requireString("role") {
    case "user": conversation.messages.append(Message(.user, content, place: place))
    case "assistant":
      // What it thought before is of the same turn.
      if let last = conversation.messages.indices.last, conversation.messages[last].isThought {
        conversation.messages[last].parts += content
      } else {
        conversation.messages.append(Message(.assistant, content, place: place))
      }
    case "system", "developer":
      if conversation.messages.isEmpty {
        for case .text(let text) in content { conversation.system.append(text) }
      } else {
        conversation.messages.append(Message(.system, content, place: place))
      }
    default: throw .expected("a role that is known", at: try item.requireMember("role"))
    }
  }

  private static func readContent(_ content: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Part] {
    if let text = content.string { return [.text(text)] }
    var parts: [Part] = []
    for element in try content.requireArray() {
      switch try element.requireString("type") {
      case "input_text", "output_text": parts.append(.text(try element.requireString("text")))
      case "refusal": parts.append(.refusal(try element.requireString("refusal")))
      case "input_image":
        if let id = try element.optionalString("file_id") {
          parts.append(.image(.stored(id: id), detail: nil))
        } else {
          let detail = try element.optionalString("detail")
          parts.append(
            .image(Media(url: try element.requireString("image_url")), detail: detail == "auto" ? nil : detail))
        }
      case "input_file":
        let (data, url) = (try element.optionalString("file_data"), try element.optionalString("file_url"))
        guard let file = data ?? url else {
          losses.add(element)
          continue
        }
        parts.append(.file(Media(url: file), name: try element.optionalString("filename")))
      default: losses.add(element)
      }
    }
    return parts
  }

  private static func readTools(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Tool] {
    var tools: [Tool] = []
    for element in try value.requireArray() {
      guard try element.requireString("type") == "function" else {
        losses.add(element)
        continue
      }
      element.noteOthers(than: ["type", "name", "description", "parameters", "strict"], &losses)
      var tool = Tool(name: try element.requireString("name"))
      tool.description = try element.optionalString("description")
      if let schema = element["parameters"] { tool.schema = try schema.requireObjectLiteral() }
      if let strict = element["strict"] { tool.isStrict = try strict.requireFlag() }
      tools.append(tool)
    }
    return tools
  }

  private static func readToolChoice(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> ToolChoice? {
    switch value.string {
    case "auto": return .auto
    case "none": return ToolChoice.none
    case "required": return .required
    case .some: throw .expected("auto, none, required or a tool", at: value)
    case nil:
      if try value.requireString("type") == "function" { return .tool(try value.requireString("name")) }
      losses.add(value)
      return nil
    }
  }

  private static func readText(_ text: JSONElement, _ losses: inout Losses) throws(Refusal) -> ResponseFormat? {
    text.noteOthers(than: ["format", "verbosity"], &losses)
    if let verbosity = text["verbosity"] {
      losses.add(ChatMember(name: "verbosity", literal: verbosity.literal), verbosity.path)
    }
    guard let format = text["format"] else { return nil }
    switch try format.requireString("type") {
    case "text": return nil
    case "json_object": return .json
    case "json_schema": return try Chat.readSchema(format, &losses)
    default:
      losses.add(format)
      return nil
    }
  }

  private static func readReasoning(
    _ value: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    value.noteOthers(than: ["effort", "summary", "generate_summary"], &losses)
    conversation.showsThoughts = value["summary"] != nil || value["generate_summary"] != nil
    guard let effort = try value.optionalString("effort") else { return }
    conversation.reasoning = effort == "none" ? .off : .effort(effort)
  }

  /// What the model thought before; nil where the item says nothing of it.
  private static func readThought(_ item: JSONElement, _ losses: inout Losses) throws(Refusal) -> Thought? {
    item.noteOthers(than: ["type", "id", "summary", "content", "encrypted_content", "status"], &losses)
    var text = ""
    for name in ["content", "summary"] where text.isEmpty {
      for piece in try item[name]?.requireArray() ?? [] { text += try piece.requireString("text") }
    }
    guard let sealed = try item.optionalString("encrypted_content") else {
      return text.isEmpty ? nil : .text(text, signature: nil)
    }
    if let thought = unseal(sealed, text) { return thought }
    // Another maker's, who is not asked here.
    losses.add("\(item.path).encrypted_content")
    return text.isEmpty ? nil : .text(text, signature: nil)
  }
}

extension Message {
  /// Whether it is what a model thought, and nothing else.
  fileprivate var isThought: Bool {
    role == .assistant && parts.allSatisfy { if case .reasoning = $0 { true } else { false } }
  }
}
