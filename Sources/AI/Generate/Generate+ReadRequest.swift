/// Gemini's generateContent, as a front and as a back.
///
/// https://ai.google.dev/api/generate-content
public enum Generate {}

extension JSONElement {
  /// A member by its name in camel case, or in the snake case that Google takes too.
  func either(_ name: String) -> JSONElement? { self[name] ?? self[Generate.snakeCase(name)] }

  func noteOthersInEitherCase(than known: [String], _ losses: inout Losses) {
    noteOthers(than: Set(known + known.map(Generate.snakeCase)), &losses)
  }
}

extension Generate {
  static func snakeCase(_ name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
  }

  /// Reads a request; the model and whether the answer is a stream stand in its path.
  static func read(_ body: JSONElement, _ losses: inout Losses) throws(Refusal) -> Conversation {
    var conversation = Conversation()
    try body.requireObject().noteOthersInEitherCase(
      than: ["contents", "systemInstruction", "tools", "toolConfig", "generationConfig"], &losses)
    for (place, content) in try body.requireMember("contents").requireArray().enumerated() {
      conversation.messages.append(try readContent(content, place: place, &losses))
    }
    joinResults(&conversation.messages)
    for part in try body.either("systemInstruction")?["parts"]?.requireArray() ?? [] {
      conversation.system.append(try part.requireString("text"))
    }
    for tool in try body["tools"]?.requireArray() ?? [] {
      tool.noteOthersInEitherCase(than: ["functionDeclarations"], &losses)
      for declaration in try tool.either("functionDeclarations")?.requireArray() ?? [] {
        conversation.tools.append(try readTool(declaration, &losses))
      }
    }
    body.either("toolConfig")?.noteOthersInEitherCase(than: ["functionCallingConfig"], &losses)
    if let config = body.either("toolConfig")?.either("functionCallingConfig") {
      conversation.toolChoice = try readToolChoice(config, &losses)
      if config["mode"]?.string == "VALIDATED" {
        for tool in conversation.tools.indices { conversation.tools[tool].isStrict = true }
      }
    }
    if let config = body.either("generationConfig") { try readConfig(config, into: &conversation, &losses) }
    conversation.wantsUsage = true
    return conversation
  }

  private static func readTool(_ element: JSONElement, _ losses: inout Losses) throws(Refusal) -> Tool {
    element.noteOthersInEitherCase(than: ["name", "description", "parameters", "parametersJsonSchema"], &losses)
    var tool = Tool(name: try element.requireString("name"))
    tool.description = try element.optionalString("description")
    if let schema = element.either("parametersJsonSchema") {
      tool.schema = try schema.requireObjectLiteral()
    } else {
      tool.schema = element["parameters"].map { schemaLiteral($0) }
    }
    return tool
  }

  /// Google's schemas as JSON Schema: types are in small letters, what may be null is a type of its own, and the order of
  /// members is that in which they stand.
  ///
  /// - Parameter isClosed: whether objects say that they have no other members, which Google's never have and other
  ///   providers want to be told of an answer.
  static func schemaLiteral(_ schema: JSONElement, isClosed: Bool = false) -> String {
    if schema.isArray {
      return "[" + schema.elements.map { schemaLiteral($0, isClosed: isClosed) }.joined(separator: ",") + "]"
    }
    guard schema.isObject else { return schema.literal }
    let isNullable = schema["nullable"]?.flag == true && schema["type"]?.isString == true
    var members: [String] = []
    for (name, value) in schema.members {
      switch name {
      case "nullable" where value.flag != nil, "propertyOrdering" where value.isArray,
        "property_ordering" where value.isArray:
        continue
      case "type" where value.isString:
        let type = value.literal.lowercased()
        members.append(#""type":"# + (isNullable ? "[\(type),\"null\"]" : type))
      // Names of members may be any of these words.
      case "properties" where value.isObject:
        let inner = value.members.map { JSONText.literal($0.name) + ":" + schemaLiteral($0.value, isClosed: isClosed) }
        members.append(#""properties":{"# + inner.joined(separator: ",") + "}")
      case "enum", "default", "example", "required": members.append(JSONText.literal(name) + ":" + value.literal)
      default: members.append(JSONText.literal(name) + ":" + schemaLiteral(value, isClosed: isClosed))
      }
    }
    if isClosed, schema["properties"] != nil, schema["additionalProperties"] == nil {
      members.append(#""additionalProperties":false"#)
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  private static func readToolChoice(
    _ config: JSONElement, _ losses: inout Losses
  ) throws(Refusal) -> ToolChoice? {
    let allowed = try config.either("allowedFunctionNames")?.requireArray() ?? []
    switch try config.optionalString("mode") {
    case nil, "AUTO", "MODE_UNSPECIFIED": return .auto
    case "VALIDATED":
      if let names = config.either("allowedFunctionNames"), !allowed.isEmpty { losses.add(names) }
      return .auto
    case "NONE": return ToolChoice.none
    case "ANY":
      if allowed.count == 1 { return .tool(try allowed[0].requireString()) }
      if let names = config.either("allowedFunctionNames"), allowed.count > 1 { losses.add(names) }
      return .required
    default: throw .expected("AUTO, ANY, VALIDATED or NONE", at: try config.requireMember("mode"))
    }
  }

  private static func readConfig(
    _ config: JSONElement, into conversation: inout Conversation, _ losses: inout Losses
  ) throws(Refusal) {
    var isJSON = false
    var schema: String?
    for (name, value) in try config.requireObject().members where !value.isNull {
      switch snakeCase(name) {
      case "temperature": conversation.sampling.temperature = try value.requireNumber()
      case "top_p": conversation.sampling.topP = try value.requireNumber()
      case "top_k": conversation.sampling.topK = try value.requireNumber()
      case "seed": conversation.sampling.seed = try value.requireNumber()
      case "frequency_penalty": conversation.sampling.frequencyPenalty = try value.requirePenalty()
      case "presence_penalty": conversation.sampling.presencePenalty = try value.requirePenalty()
      case "max_output_tokens": conversation.sampling.maxTokens = try value.requireInteger()
      case "stop_sequences":
        for element in try value.requireArray() { conversation.sampling.stop.append(try element.requireString()) }
      case "candidate_count" where value.integer == 1: break
      case "response_modalities" where value.elements.map(\.string) == ["TEXT"]: break
      case "response_mime_type" where value.string == "text/plain": break
      case "response_mime_type" where value.string == "application/json": isJSON = true
      case "response_schema": schema = schemaLiteral(value, isClosed: true)
      case "response_json_schema": schema = try value.requireObjectLiteral()
      case "thinking_config":
        conversation.reasoning = try readThinking(value, &losses)
        conversation.showsThoughts = try value.either("includeThoughts")?.requireFlag() ?? false
      default: losses.add(value)
      }
    }
    if let schema {
      conversation.format = .schema(name: nil, description: nil, schema: schema, isStrict: nil)
    } else if isJSON {
      conversation.format = .json
    }
  }

  private static func readThinking(_ config: JSONElement, _ losses: inout Losses) throws(Refusal) -> Reasoning? {
    config.noteOthersInEitherCase(than: ["thinkingBudget", "thinkingLevel", "includeThoughts"], &losses)
    if let level = config.either("thinkingLevel") { return .effort(try level.requireString().lowercased()) }
    guard let budget = try config.either("thinkingBudget")?.requireInteger() else { return nil }
    // -1 leaves it to the model, as nobody saying anything does.
    return budget == 0 ? .off : budget < 0 ? nil : .budget(budget)
  }

  private static func readContent(_ content: JSONElement, place: Int, _ losses: inout Losses) throws(Refusal) -> Message
  {
    content.noteOthers(than: ["role", "parts"], &losses)
    let role = try content.optionalString("role") ?? "user"
    guard role == "user" || role == "model" || role == "function" else {
      throw .expected("user or model", at: try content.requireMember("role"))
    }
    var parts: [Part] = []
    for element in try content.requireMember("parts").requireArray() {
      if let part = try readPart(element, call: "call_\(place)_\(parts.count)", &losses) {
        parts.append(part)
      } else {
        losses.add(element)
      }
    }
    return Message(role == "model" ? .assistant : .user, parts, place: place)
  }

  /// Gives a result that says no id that of the first call of its tool which has none yet: other dialects know it by that.
  private static func joinResults(_ messages: inout [Message]) {
    var open: [(id: String, name: String)] = []
    for message in messages.indices {
      for part in messages[message].parts.indices {
        switch messages[message].parts[part] {
        case .toolCall(let call): open.append((call.id, call.name))
        case .toolResult(var result):
          let call = open.firstIndex { result.id.isEmpty ? $0.name == result.name : $0.id == result.id }
          guard let call else { continue }
          result.id = open.remove(at: call).id
          messages[message].parts[part] = .toolResult(result)
        default: continue
        }
      }
    }
  }

  /// - Parameter call: the id of a call that has none. Results without one are those of the tool by their name.
  static func readPart(_ element: JSONElement, call: String, _ losses: inout Losses) throws(Refusal) -> Part? {
    element.noteOthersInEitherCase(
      than: ["text", "thought", "thoughtSignature", "inlineData", "fileData", "functionCall", "functionResponse"],
      &losses)
    if let text = try element.optionalString("text") {
      guard element["thought"]?.flag == true else { return .text(text) }
      return .reasoning(.text(text, signature: element.either("thoughtSignature")?.string))
    }
    if let data = element.either("inlineData") {
      guard let type = data.either("mimeType")?.string else { throw .missing("mimeType", in: data) }
      let media = Media.data(type: type, base64: try data.requireString("data"))
      return type.hasPrefix("image/") ? .image(media, detail: nil) : .file(media, name: nil)
    }
    if let file = element.either("fileData") { return try readFile(file) }
    if let function = element.either("functionCall") {
      function.noteOthers(than: ["id", "name", "args"], &losses)
      return .toolCall(
        ToolCall(
          id: try function.optionalString("id") ?? call, name: try function.requireString("name"),
          arguments: try function["args"]?.requireObjectLiteral() ?? "{}",
          signature: element.either("thoughtSignature")?.string))
    }
    guard let function = element.either("functionResponse") else { return nil }
    return .toolResult(try readResult(function, &losses))
  }

  private static func readResult(_ function: JSONElement, _ losses: inout Losses) throws(Refusal) -> ToolResult {
    function.noteOthers(than: ["id", "name", "response", "parts"], &losses)
    let response = try function.requireMember("response")
    let text = response.members.count == 1 ? response["output"]?.string ?? response["result"]?.string : nil
    var result = ToolResult(
      id: try function.optionalString("id") ?? "", name: try function.requireString("name"),
      content: [.text(text ?? response.literal)], isError: response.members.count == 1 && response["error"] != nil)
    for element in try function["parts"]?.requireArray() ?? [] {
      if let part = try readPart(element, call: "", &losses) {
        result.content.append(part)
      } else {
        losses.add(element)
      }
    }
    return result
  }

  /// An image or a document at an address that anybody can read; nil for what Google keeps, and for other kinds.
  private static func readFile(_ file: JSONElement) throws(Refusal) -> Part? {
    let address = file.either("fileUri")?.string ?? ""
    let type = file.either("mimeType")?.string ?? ""
    guard address.hasPrefix("https://"), !address.hasPrefix("https://generativelanguage.googleapis.com/") else {
      return nil
    }
    if type.hasPrefix("image/") { return .image(.url(address), detail: nil) }
    return type == "application/pdf" ? .file(.url(address), name: nil) : nil
  }
}
