/// Anthropic's Messages, as a front and as a back.
///
/// https://docs.anthropic.com/en/api/messages
public enum Messages {}

extension Messages {
  /// Reads a request; what no other dialect has is noted.
  static func read(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> Conversation {
    var conversation = Conversation()
    for (name, value) in try body.requireObject().members where !value.isNull {
      switch name {
      case "model": conversation.model = try value.requireString()
      case "max_tokens": conversation.sampling.maxTokens = try value.requireInteger()
      case "system": conversation.system = try readSystem(value, &losses)
      case "messages":
        for (place, element) in try value.requireArray().enumerated() {
          conversation.messages.append(try readMessage(element, place: place, &losses))
        }
      case "tools": conversation.tools = try readTools(value, &losses)
      case "tool_choice": try readToolChoice(value, into: &conversation, &losses)
      case "thinking": try readThinking(value, into: &conversation, &losses)
      // Behind what is said of thinking.
      case "output_config": break
      case "temperature": conversation.sampling.temperature = try value.requireNumber()
      case "top_p": conversation.sampling.topP = try value.requireNumber()
      case "top_k": conversation.sampling.topK = try value.requireNumber()
      case "stop_sequences":
        for element in try value.requireArray() { conversation.sampling.stop.append(try element.requireString()) }
      case "stream": conversation.streams = try value.requireFlag()
      case "metadata":
        value.noteOthers(than: ["user_id"], &losses)
        conversation.user = try value.optionalString("user_id")
      case "service_tier" where value.string == "auto": break
      default: losses.add(value)
      }
    }
    if let output = body["output_config"] { try readOutput(output, into: &conversation, &losses) }
    for name in ["model", "messages", "max_tokens"] where body[name] == nil { throw .missing(name, in: body) }
    conversation.wantsUsage = true
    return conversation
  }

  private static func readSystem(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> [String] {
    if let text = value.string { return text.isEmpty ? [] : [text] }
    var texts: [String] = []
    for (place, element) in try value.requireArray().enumerated() {
      element.noteOthers(than: ["type", "text", "cache_control"], &losses)
      element.noteCachePoint(.system(place), &losses)
      guard try element.requireString("type") == "text" else { throw .expected("text", at: element) }
      texts.append(try element.requireString("text"))
    }
    return texts
  }

  private static func readTools(_ value: JSONElement, _ losses: inout Losses) throws(Refusal) -> [Tool] {
    var tools: [Tool] = []
    for element in try value.requireArray() {
      // Tools that Anthropic runs itself have a type of their own.
      if let type = element["type"]?.string, type != "custom" {
        losses.add(element)
        continue
      }
      element.noteOthers(than: ["type", "name", "description", "input_schema", "strict", "cache_control"], &losses)
      element.noteCachePoint(.tool(tools.count), &losses)
      var tool = Tool(name: try element.requireString("name"))
      tool.description = try element.optionalString("description")
      tool.schema = try element.requireMember("input_schema").requireObjectLiteral()
      if let strict = element["strict"] { tool.isStrict = try strict.requireFlag() }
      tools.append(tool)
    }
    return tools
  }

  private static func readToolChoice(
    _ value: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    value.noteOthers(than: ["type", "name", "disable_parallel_tool_use"], &losses)
    switch try value.requireString("type") {
    case "auto": conversation.toolChoice = .auto
    case "any": conversation.toolChoice = .required
    case "none": conversation.toolChoice = ToolChoice.none
    case "tool": conversation.toolChoice = .tool(try value.requireString("name"))
    default: throw .expected("auto, any, none or tool", at: value)
    }
    if let disabled = value["disable_parallel_tool_use"] { conversation.parallelTools = try !disabled.requireFlag() }
  }

  private static func readThinking(
    _ value: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    value.noteOthers(than: ["type", "budget_tokens", "display"], &losses)
    let type = try value.requireString("type")
    let display = try value.optionalString("display")
    // Models that are told how many tokens show what they think, unless they shall not.
    conversation.showsThoughts = display.map { $0 == "summarized" } ?? (type == "enabled")
    switch type {
    case "disabled": conversation.reasoning = .off
    case "enabled": conversation.reasoning = .budget(try value.requireMember("budget_tokens").requireInteger())
    // An effort beside it says how much.
    case "adaptive": if conversation.reasoning == nil { conversation.reasoning = .automatic }
    default: losses.add(value)
    }
  }

  private static func readOutput(
    _ value: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    value.noteOthers(than: ["format", "effort"], &losses)
    if let effort = try value.optionalString("effort") {
      switch conversation.reasoning {
      case nil, .automatic: conversation.reasoning = .effort(effort)
      case .off, .budget, .effort: losses.add("output_config.effort")
      }
    }
    guard let format = value["format"] else { return }
    guard try format.requireString("type") == "json_schema" else { return losses.add(format) }
    conversation.format = .schema(
      name: nil, description: nil, schema: try format.requireMember("schema").requireObjectLiteral(), isStrict: true)
  }
}
