import AI
import Configuration
import JSON
import JSONSchema
import Kernel
import PluginKit

/// Describes every route with a prompt, as OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1).
final class PromptDescription: Handler {
  private let document: [UInt8]

  init(_ settings: GatewaySettings) { document = Self.describe(settings) }

  func handle(_ exchange: inout Exchange) async -> Verdict {
    exchange.response.begin(status: 200)
    exchange.response.addHeader("Content-Type", "application/json")
    let text = document
    exchange.response.body.append(text.span)
    return .respond
  }

  // MARK: The document

  private static func describe(_ settings: GatewaySettings) -> [UInt8] {
    let known = Dictionary(
      (settings.models?.prompts ?? []).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var paths: [(path: String, route: String, prompt: PromptSettings)] = []
    for route in settings.routes {
      guard case .models(let models) = route.handler, let prompt = models.prompt.flatMap({ known[$0] }) else {
        continue
      }
      for path in route.matches.flatMap(\.paths)
      where !paths.contains(where: { $0.path == path }) && !path.hasSuffix("*") {
        paths.append((path, route.name, prompt))
      }
    }
    var used: [String: PromptSettings] = [:]
    for (_, _, prompt) in paths { used[prompt.name] = prompt }
    var json = JSONWriter(capacity: 8192)
    json.object {
      $0.member("openapi", "3.1.0")
      $0.object("info") {
        $0.member("title", "Prompts")
        $0.member("version", "1")
      }
      $0.object("paths") {
        var operations: Set<String> = []
        for (path, route, prompt) in paths {
          var operation = route
          while !operations.insert(operation).inserted { operation += "_version" }
          $0.object(path) { $0.object("post") { write(prompt, operation, path, into: &$0) } }
        }
      }
      $0.object("components") {
        $0.object("schemas") {
          for name in used.keys.sorted() {
            for version in used[name]?.versions ?? [] { write(version, of: name, into: &$0) }
          }
          writeProblem(into: &$0)
        }
      }
    }
    return BodyCollector.array(json.buffer)
  }

  private static func write(
    _ prompt: PromptSettings, _ operation: String, _ path: String, into json: inout JSONWriter
  ) {
    json.member("operationId", operation)
    json.member("summary", prompt.help ?? prompt.name)
    let names = prompt.versions.map(\.name)
    let parameters = (try? PathTemplate(parsing: path))?.parameterNames ?? []
    if !parameters.isEmpty {
      json.array("parameters") {
        for name in parameters {
          $0.object {
            $0.member("name", name)
            $0.member("in", "path")
            $0.member("required", true)
            $0.object("schema") {
              $0.member("type", "string")
              if name == "version" { $0.array("enum") { for name in names { $0.value(name) } } }
            }
          }
        }
      }
    }
    let versions = parameters.contains("version") ? prompt.versions : [prompt.currentVersion].compactMap { $0 }
    json.object("requestBody") {
      $0.member("required", true)
      writeContent("application/json", versions.map { "\(prompt.name).\($0.name).inputs" }, into: &$0)
    }
    json.object("responses") {
      $0.object("200") {
        $0.member("description", "The output.")
        writeContent("application/json", versions.map { "\(prompt.name).\($0.name).output" }, into: &$0)
      }
      $0.object("default") {
        $0.member(
          "description",
          "Why there is none: 400 and 422 for inputs that are not as described, 502 for a model's failure.")
        writeContent("application/problem+json", ["problem"], into: &$0)
      }
    }
  }

  private static func writeContent(_ type: String, _ schemas: [String], into json: inout JSONWriter) {
    json.object("content") {
      $0.object(type) {
        $0.object("schema") {
          if schemas.count == 1 { return $0.member("$ref", "#/components/schemas/\(schemas[0])") }
          $0.array("anyOf") {
            for schema in schemas { $0.object { $0.member("$ref", "#/components/schemas/\(schema)") } }
          }
        }
      }
    }
  }

  private static func write(_ version: PromptVersionSettings, of prompt: String, into json: inout JSONWriter) {
    json.key("\(prompt).\(version.name).inputs")
    json.value(literal: version.inputSchema.utf8Span.span)
    json.key("\(prompt).\(version.name).output")
    let text =
      version.output?.schema?.text
      ?? #"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#
    json.value(literal: identified(text, "urn:sluice:prompt:\(prompt):\(version.name)").utf8Span.span)
  }

  /// A schema that refers to its own parts is a document of its own within this one, and needs a name for that.
  private static func identified(_ text: String, _ name: String) -> String {
    guard let schema = try? JSONElement(parsing: text), schema.isObject, schema["$id"] == nil, text.contains("$ref"),
      let brace = text.firstIndex(of: "{")
    else { return text }
    let rest = text[text.index(after: brace)...]
    return #"{"$id":"\#(name)""# + (schema.members.isEmpty ? "" : ",") + rest
  }

  private static func writeProblem(into json: inout JSONWriter) {
    json.object("problem") {
      $0.member("type", "object")
      $0.object("properties") {
        for name in ["type", "title", "detail", "code"] { $0.object(name) { $0.member("type", "string") } }
        $0.object("status") { $0.member("type", "integer") }
        $0.object("violations") {
          $0.member("type", "array")
          $0.object("items") {
            $0.member("type", "object")
            $0.object("properties") {
              for name in ["pointer", "keyword", "detail"] { $0.object(name) { $0.member("type", "string") } }
            }
          }
        }
      }
    }
  }
}
