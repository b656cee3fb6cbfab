import AI
import JSON
import Kernel

/// What the stand-in says to one request.
struct StandInReply {
  private let text: String
  /// The tool that it calls, and with which arguments.
  private let tool: (name: String, arguments: String)?
  private let promptTokens: Int

  init(_ request: JSONElement, _ messages: [JSONElement]) {
    let last = messages.last
    let said = Self.text(of: last?["content"])
    promptTokens = messages.reduce(0) { $0 + Self.words(Self.text(of: $1["content"])).count }
    let offered = request["tool_choice"]?.string == "none" ? nil : request["tools"]?.elements.first?["function"]
    if let offered, last?["role"]?.string != "tool" {
      tool = (offered["name"]?.string ?? "", Self.example(of: offered["parameters"], saying: said))
      text = ""
    } else {
      tool = nil
      if let schema = request["response_format"]?["json_schema"]?["schema"] {
        text = Self.example(of: schema, saying: said)
      } else {
        text = last?["role"]?.string == "tool" ? "The tool said: \(said)" : "You said: \(said)"
      }
    }
  }

  private var completionTokens: Int { Self.words(tool?.arguments ?? text).count }

  // MARK: On the wire

  func whole() -> JSONWriter {
    var json = JSONWriter()
    json.object {
      begin("chat.completion", into: &$0)
      $0.array("choices") {
        $0.object {
          $0.member("index", 0)
          $0.object("message") {
            $0.member("role", "assistant")
            $0.key("content")
            if tool == nil { $0.value(text) } else { $0.null() }
            if let tool {
              $0.array("tool_calls") { $0.object { write(tool.name, tool.arguments, into: &$0) } }
            }
          }
          $0.member("finish_reason", tool == nil ? "stop" : "tool_calls")
        }
      }
      writeUsage(into: &$0)
    }
    return json
  }

  /// The events of a stream, one word at a time.
  func chunks(showsUsage: Bool) -> [String] {
    var events = [delta { $0.member("role", "assistant") }]
    if let tool {
      events.append(delta { $0.array("tool_calls") { $0.object { write(tool.name, "", into: &$0) } } })
      for piece in Self.pieces(tool.arguments) {
        events.append(
          delta {
            $0.array("tool_calls") {
              $0.object {
                $0.member("index", 0)
                $0.object("function") { $0.member("arguments", piece) }
              }
            }
          })
      }
    } else {
      for piece in Self.pieces(text) { events.append(delta { $0.member("content", piece) }) }
    }
    events.append(delta(finish: tool == nil ? "stop" : "tool_calls") { _ in })
    if showsUsage {
      events.append(
        event {
          $0.array("choices") { _ in }
          writeUsage(into: &$0)
        })
    }
    return events + ["data: [DONE]\n\n"]
  }

  private func delta(finish: String? = nil, _ body: (inout JSONWriter) -> Void) -> String {
    event {
      $0.array("choices") {
        $0.object {
          $0.member("index", 0)
          $0.object("delta", body)
          $0.key("finish_reason")
          if let finish { $0.value(finish) } else { $0.null() }
        }
      }
    }
  }

  private func event(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    json.object {
      begin("chat.completion.chunk", into: &$0)
      body(&$0)
    }
    return "data: \(json.text)\n\n"
  }

  private func begin(_ object: String, into json: inout JSONWriter) {
    json.member("id", "chatcmpl-stand-in")
    json.member("object", object)
    json.member("created", Clock.wall / 1_000_000_000)
    json.member("model", ModelStandIn.model)
  }

  private func write(_ name: String, _ arguments: String, into json: inout JSONWriter) {
    json.member("index", 0)
    json.member("id", "call_stand_in")
    json.member("type", "function")
    json.object("function") {
      $0.member("name", name)
      $0.member("arguments", arguments)
    }
  }

  private func writeUsage(into json: inout JSONWriter) {
    json.object("usage") {
      $0.member("prompt_tokens", promptTokens)
      $0.member("completion_tokens", completionTokens)
      $0.member("total_tokens", promptTokens + completionTokens)
    }
  }

  // MARK: What is said

  private static func text(of content: JSONElement?) -> String {
    if let text = content?.string { return text }
    return (content?.elements ?? []).compactMap { $0["text"]?.string }.joined(separator: " ")
  }

  private static func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }

  /// Words with the space before them.
  private static func pieces(_ text: String) -> [String] {
    var pieces: [String] = []
    for character in text {
      if character == " " || pieces.isEmpty { pieces.append("") }
      pieces[pieces.count - 1].append(character)
    }
    return pieces
  }

  /// A value that follows a schema; texts are of what was said, and so is what is chosen.
  private static func example(of schema: JSONElement?, saying said: String) -> String {
    SchemaExample(said, root: schema).text
  }
}
