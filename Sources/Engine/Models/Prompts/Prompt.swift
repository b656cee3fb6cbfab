import AI
import Foreign
import JSON
import JSONSchema
import Kernel
import PluginKit

/// A prompt on one worker: its versions, ready to be asked.
final class Prompt {
  let settings: PromptSettings
  let answers: ModelAnswerStore
  private let versions: [String: PromptVersion]
  private let current: String

  init(_ settings: PromptSettings, _ answers: ModelAnswerStore) {
    self.settings = settings
    self.answers = answers
    current = settings.currentVersion?.name ?? ""
    versions = Dictionary(
      settings.versions.map { ($0.name, PromptVersion($0, of: settings.name)) }, uniquingKeysWith: { first, _ in first }
    )
  }

  /// - Parameter name: nil for the current one.
  func version(_ name: String?) -> PromptVersion? { versions[name ?? current] }
}

/// One version of a prompt: checks what comes in, makes the model's request of it, and checks what comes out.
final class PromptVersion {
  let settings: PromptVersionSettings
  private let prompt: String
  private var inputs: SchemaValidator?
  private var output: SchemaValidator?
  private var document = JSONDocument()

  init(_ settings: PromptVersionSettings, of prompt: String) {
    self.settings = settings
    self.prompt = prompt
    // It is made of what the section has checked, and of nothing else.
    inputs = (try? Schema(Array(settings.inputSchema.utf8))).map { SchemaValidator($0) }
    output = settings.output?.schema.map { SchemaValidator($0.schema) }
  }

  /// As logs name it.
  var label: String { "\(prompt)@\(settings.name)" }

  var name: String { settings.name }
  var promptName: String { prompt }

  // MARK: Inputs

  enum Inputs {
    case values([String: PromptValue])
    case malformed
    /// The violations as a JSON array.
    case violated([UInt8])
  }

  /// Reads what a caller sent.
  func read(_ body: [UInt8]) -> Inputs {
    do throws(JSONError) { try document.parse(body.span) } catch { return .malformed }
    guard document.kind(0) == .object, let element = try? JSONElement(parsing: body) else { return .malformed }
    let members = element.members
    // Two readers could read a name that stands twice differently.
    guard Set(members.map(\.name)).count == members.count else { return .malformed }
    if inputs?.validate(document, body.span) == false {
      var violations = ByteBuffer(capacity: 256)
      inputs?.append(violationsOf: document, body.span, to: &violations)
      return .violated(BodyCollector.array(violations))
    }
    var values: [String: PromptValue] = [:]
    var tooLong: [PromptInput] = []
    for input in settings.inputs {
      let given = members.first { $0.name == input.name }?.value
      guard let value = given ?? input.initialElement else { continue }
      if let bytes = input.maximum?.bytes, (value.string?.utf8.count ?? 0) > bytes { tooLong.append(input) }
      values[input.name] = PromptValue(value)
    }
    return tooLong.isEmpty ? .values(values) : .violated(Self.violations(of: tooLong))
  }

  /// What the schema cannot say, as it counts characters.
  private static func violations(of inputs: [PromptInput]) -> [UInt8] {
    var json = JSONWriter()
    json.array {
      for input in inputs {
        $0.object {
          $0.member("pointer", "/\(input.name)")
          $0.member("keyword", "maximum")
          $0.member("detail", "is longer than \(input.maximum?.text ?? "")")
        }
      }
    }
    return BodyCollector.array(json.buffer)
  }

  // MARK: The model's request

  /// The request in the dialect that every back is translated from, as a client would write it.
  ///
  /// - Parameter repair: what the model answered, and what is wrong with it.
  func request(_ values: [String: PromptValue], repair: (answer: String, mistakes: String)? = nil) -> [UInt8] {
    var json = JSONWriter(capacity: 1024)
    json.object {
      $0.member("model", settings.model?.text ?? "")
      $0.array("messages") {
        if let system = settings.system { Self.write("system", system.render(values), into: &$0) }
        Self.write("user", settings.user?.render(values) ?? "", into: &$0)
        if let repair {
          if !repair.answer.isEmpty { Self.write("assistant", repair.answer, into: &$0) }
          Self.write("user", Self.complaint(repair.mistakes), into: &$0)
        }
      }
      if let schema = settings.output?.schema {
        $0.object("response_format") {
          $0.member("type", "json_schema")
          $0.object("json_schema") {
            $0.member("name", formatName)
            $0.key("schema")
            $0.value(literal: schema.text.utf8Span.span)
          }
        }
      }
      if let temperature = settings.temperature {
        $0.key("temperature")
        $0.value(literal: temperature.utf8Span.span)
      }
      if let tokens = settings.maxTokens { $0.member("max_completion_tokens", tokens) }
    }
    return BodyCollector.array(json.buffer)
  }

  private static func write(_ role: String, _ text: String, into json: inout JSONWriter) {
    json.object {
      $0.member("role", role)
      $0.member("content", text)
    }
  }

  private static func complaint(_ mistakes: String) -> String {
    """
    That answer is not what was asked for:
    \(mistakes)
    Answer again: with the JSON document alone, which follows the schema.
    """
  }

  /// Providers take letters, digits, `_` and `-` here, 64 at most.
  private var formatName: String {
    let name = prompt.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") ? $0 : "_" }
    return String(name.prefix(64))
  }

  // MARK: Output

  enum Output {
    case right([UInt8])
    /// What is wrong with it, for the model to read.
    case wrong(String)
  }

  /// Checks what the model wrote, and makes the caller's answer of it.
  func check(_ text: String) -> Output {
    guard output != nil else {
      if text.isEmpty { return .wrong("It is empty.") }
      var json = JSONWriter(capacity: text.utf8.count + 32)
      json.object { $0.member("text", text) }
      return .right(BodyCollector.array(json.buffer))
    }
    let bytes = Self.unfenced(Self.trimmed(Array(text.utf8)))
    do throws(JSONError) { try document.parse(bytes.span) } catch {
      return .wrong("It is no JSON: \(error.text) at byte \(error.offset).")
    }
    if output?.validate(document, bytes.span) == true {
      return .right(bytes)
    }
    var mistakes: [String] = []
    for violation in (output?.violations ?? []).prefix(Self.mostMistakes) {
      var pointer = ByteBuffer(capacity: 32)
      document.append(pointerTo: violation.node, in: bytes.span, to: &pointer)
      let place = String(decoding: BodyCollector.array(pointer), as: UTF8.self)
      mistakes.append("- \(place == #""""# ? "the document" : place): \(violation.detail)")
    }
    return .wrong(mistakes.joined(separator: "\n"))
  }

  /// A model that is told everything at once mends less of it.
  private static let mostMistakes = 20

  /// What stands in a code block of Markdown, as which models that nobody holds to a schema like to write JSON.
  private static func unfenced(_ bytes: [UInt8]) -> [UInt8] {
    let fence = Array("```".utf8)
    guard bytes.count > 2 * fence.count, bytes.starts(with: fence), bytes.suffix(fence.count).elementsEqual(fence),
      let line = bytes.firstIndex(of: 0x0A), line < bytes.count - fence.count
    else { return bytes }
    return trimmed(Array(bytes[line..<(bytes.count - fence.count)]))
  }

  private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
    let start = bytes.firstIndex { !isSpace($0) } ?? bytes.endIndex
    let end = bytes.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? start
    return Array(bytes[start..<end])
  }
}

extension PromptInput {
  fileprivate var initialElement: JSONElement? { initialLiteral.flatMap { try? JSONElement(parsing: $0) } }
}

extension PromptValue {
  fileprivate init(_ element: JSONElement) {
    if let flag = element.flag {
      self = .flag(flag)
    } else if element.isArray {
      self = .list(element.elements.compactMap(\.string))
    } else {
      self = .text(element.string ?? element.literal)
    }
  }
}
