/// OpenAI's Chat Completions, which most of the world speaks: as a front, and as the back of everything compatible.
///
/// https://platform.openai.com/docs/api-reference/chat
public enum Chat {}

extension Chat {
  /// Reads a request; what no other dialect has is noted.
  static func read(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> Conversation {
    var conversation = Conversation()
    for (name, value) in try body.requireObject().members where !value.isNull {
      switch name {
      case "model": conversation.model = try value.requireString()
      case "messages": try readMessages(value, into: &conversation, &losses)
      case "tools": conversation.tools = try readTools(value, &losses)
      case "tool_choice": conversation.toolChoice = try readToolChoice(value, &losses)
      case "parallel_tool_calls": conversation.parallelTools = try value.requireFlag()
      case "response_format": conversation.format = try readFormat(value, &losses)
      case "reasoning_effort":
        let effort = try value.requireString()
        conversation.reasoning = effort == "none" ? .off : .effort(effort)
      case "stream": conversation.streams = try value.requireFlag()
      case "stream_options": conversation.wantsUsage = try readStreamOptions(value, &losses)
      case "user", "safety_identifier":
        conversation.user = try value.requireString()
        conversation.userField = name == "user" ? .user : .safetyIdentifier
      default:
        if try !readSampling(name, value, into: &conversation.sampling) { noteUnless(neutral: name, value, &losses) }
      }
    }
    if body["model"] == nil { throw .missing("model", in: body) }
    if body["messages"] == nil { throw .missing("messages", in: body) }
    return conversation
  }

  /// False when the name is none of these.
  static func readSampling(
    _ name: String, _ value: JSONElement, into sampling: inout Sampling
  ) throws(Refusal) -> Bool {
    switch name {
    case "temperature": sampling.temperature = try value.requireNumber()
    case "top_p": sampling.topP = try value.requireNumber()
    case "frequency_penalty": sampling.frequencyPenalty = try value.requirePenalty()
    case "presence_penalty": sampling.presencePenalty = try value.requirePenalty()
    case "seed": sampling.seed = try value.requireNumber()
    case "max_tokens", "max_completion_tokens": sampling.maxTokens = try value.requireInteger()
    case "stop":
      if let one = value.string {
        sampling.stop = [one]
      } else {
        sampling.stop = []
        for element in try value.requireArray() { sampling.stop.append(try element.requireString()) }
      }
    default: return false
    }
    return true
  }

  /// Notes a field that only OpenAI has, unless its value asks for what everybody does anyway.
  private static func noteUnless(neutral name: String, _ value: JSONElement, _ losses: inout Losses) {
    switch name {
    case "n" where value.integer == 1: break
    case "logprobs" where value.flag == false: break
    case "logit_bias" where value.isObject && value.members.isEmpty: break
    case "store" where value.flag == false: break
    case "service_tier" where value.string == "auto" || value.string == "default": break
    case "modalities" where value.elements.map(\.string) == ["text"]: break
    case "metadata" where value.members.isEmpty: break
    default: losses.add(value)
    }
  }

  private static func readStreamOptions(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> Bool {
    try value.requireObject().noteOthers(than: ["include_usage", "include_obfuscation"], &losses)
    return try value["include_usage"]?.requireFlag() ?? false
  }

  private static func readTools(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Tool] {
    var tools: [Tool] = []
    for element in try value.requireArray() {
      guard try element.requireString("type") == "function" else {
        losses.add(element)
        continue
      }
      let function = try element.requireMember("function")
      function.noteOthers(than: ["name", "description", "parameters", "strict"], &losses)
      var tool = Tool(name: try function.requireString("name"))
      tool.description = try function.optionalString("description")
      if let schema = function["parameters"] { tool.schema = try schema.requireObjectLiteral() }
      if let strict = function["strict"] { tool.isStrict = try strict.requireFlag() }
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
      guard try value.requireString("type") == "function" else {
        losses.add(value)
        return nil
      }
      return .tool(try value.requireMember("function").requireString("name"))
    }
  }

  private static func readFormat(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> ResponseFormat? {
    switch try value.requireString("type") {
    case "text": return nil
    case "json_object": return .json
    case "json_schema": return try readSchema(try value.requireMember("json_schema"), &losses)
    default:
      losses.add(value)
      return nil
    }
  }

  static func readSchema(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> ResponseFormat {
    value.noteOthers(than: ["type", "name", "description", "schema", "strict"], &losses)
    return .schema(
      name: try value.optionalString("name"), description: try value.optionalString("description"),
      schema: try value.requireMember("schema").requireObjectLiteral(), isStrict: try value["strict"]?.requireFlag())
  }
}
