import AI
import GatewayTesting
import Testing

/// What a client of a dialect makes of a stream, read by hand and not by the code under test.
struct Heard: Equatable {
  var text = ""
  var tools: [String] = []
  var arguments: [String] = []
  var finish = ""
  var input = 0
  var output = 0
  var error = ""
  var isComplete = false
  private var events = 0

  init(_ front: Front, _ stream: String) throws {
    for (name, data) in Wire.events(stream) {
      switch front {
      case .chat: try chat(data)
      case .messages: try messages(name, data)
      case .responses: try responses(name, data)
      case .generate: try generate(data)
      }
    }
  }

  private mutating func chat(_ data: String) throws {
    if data == "[DONE]" {
      isComplete = true
      return
    }
    let json = try JSONValue(parsing: data)
    if let error = json["error"] { self.error = error["message"]?.string ?? "?" }
    if let usage = json["usage"], usage != .null {
      input = usage["prompt_tokens"]?.integer ?? -1
      output = usage["completion_tokens"]?.integer ?? -1
    }
    guard case .array(let choices)? = json["choices"], let choice = choices.first else { return }
    finish = choice["finish_reason"]?.string ?? finish
    text += choice["delta"]?["content"]?.string ?? ""
    guard case .array(let calls)? = choice["delta"]?["tool_calls"] else { return }
    for call in calls {
      if let name = call["function"]?["name"]?.string {
        tools.append(name)
        arguments.append("")
      }
      arguments[call["index"]?.integer ?? -1] += call["function"]?["arguments"]?.string ?? ""
    }
  }

  private mutating func responses(_ name: String, _ data: String) throws {
    let json = try JSONValue(parsing: data)
    try #require(json["type"]?.string == name)
    try #require(json["sequence_number"]?.integer == events)
    events += 1
    switch name {
    case "response.output_text.delta": text += json["delta"]?.string ?? "?"
    case "response.output_text.done": try #require(json["text"]?.string == text)
    case "response.output_item.added":
      if let tool = json.at("item", "name")?.string {
        tools.append(tool)
        arguments.append("")
      }
    case "response.function_call_arguments.delta": arguments[arguments.count - 1] += json["delta"]?.string ?? "?"
    case "response.function_call_arguments.done": try #require(json["arguments"]?.string == arguments.last)
    case "response.completed", "response.incomplete":
      isComplete = true
      finish = json.at("response", "status")?.string ?? "?"
      input = json.at("response", "usage", "input_tokens")?.integer ?? -1
      output = json.at("response", "usage", "output_tokens")?.integer ?? -1
    case "error": error = json["message"]?.string ?? "?"
    default: break
    }
  }

  private mutating func generate(_ data: String) throws {
    let json = try JSONValue(parsing: data)
    if let error = json["error"] { self.error = error["message"]?.string ?? "?" }
    if let usage = json["usageMetadata"] {
      input = usage["promptTokenCount"]?.integer ?? -1
      output = usage["candidatesTokenCount"]?.integer ?? -1
    }
    guard let candidate = json.at("candidates", 0) else { return }
    if case .array(let parts)? = candidate.at("content", "parts") {
      for part in parts {
        text += part["text"]?.string ?? ""
        if let call = part["functionCall"] {
          tools.append(call["name"]?.string ?? "?")
          arguments.append(Self.object(behind: #""args":"#, in: data))
        }
      }
    }
    if let reason = candidate["finishReason"]?.string {
      finish = reason
      isComplete = true
    }
  }

  private mutating func messages(_ name: String, _ data: String) throws {
    let json = try JSONValue(parsing: data)
    try #require(json["type"]?.string == name)
    switch name {
    case "content_block_start":
      if let name = json["content_block"]?["name"]?.string {
        tools.append(name)
        arguments.append("")
      }
    case "content_block_delta":
      text += json["delta"]?["text"]?.string ?? ""
      if let piece = json["delta"]?["partial_json"]?.string { arguments[arguments.count - 1] += piece }
    case "message_delta":
      finish = json["delta"]?["stop_reason"]?.string ?? "?"
      output = json["usage"]?["output_tokens"]?.integer ?? -1
      input = (json["usage"]?["input_tokens"]?.integer ?? 0) + (json["usage"]?["cache_read_input_tokens"]?.integer ?? 0)
    case "message_stop": isComplete = true
    case "error": error = json["error"]?["message"]?.string ?? "?"
    default: break
    }
  }

  /// The JSON object that stands behind a text.
  private static func object(behind text: String, in data: String) -> String {
    guard let range = data.firstRange(of: text) else { return "" }
    var (depth, isString, isEscape, object) = (0, false, false, "")
    for character in data[range.upperBound...] {
      object.append(character)
      if isEscape {
        isEscape = false
      } else if isString {
        isEscape = character == "\\"
        isString = character != "\""
      } else {
        isString = character == "\""
        depth += character == "{" ? 1 : character == "}" ? -1 : 0
        if depth == 0 { break }
      }
    }
    return object
  }
}
