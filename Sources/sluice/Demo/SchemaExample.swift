import AI
import JSON
import Kernel

/// A value that follows a JSON Schema, made of what was said: the same every time, and no judgement.
struct SchemaExample {
  let text: String

  init(_ said: String, root: JSONElement?) {
    let writer = SchemaExampleWriter(said, root)
    var json = JSONWriter()
    writer.write(root, depth: 0, into: &json)
    text = json.text
  }
}

private struct SchemaExampleWriter {
  private let said: String
  private let words: [String]
  private let root: JSONElement?

  private static let deepest = 16
  private static let bad = [
    "not", "broken", "crash", "crashes", "error", "fail", "fails", "slow", "bad", "lost", "never", "bug",
  ]
  private static let good = ["thanks", "great", "good", "love", "nice", "fast", "works"]

  init(_ said: String, _ root: JSONElement?) {
    self.said = said
    self.root = root
    words = said.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
  }

  func write(_ given: JSONElement?, depth: Int, into json: inout JSONWriter) {
    guard let schema = resolve(given), depth < Self.deepest else { return json.null() }
    if let value = schema["const"] { return json.value(literal: value.literal.utf8Span.span) }
    if let choices = schema["enum"]?.elements, let chosen = choose(choices) {
      return json.value(literal: chosen.literal.utf8Span.span)
    }
    for word in ["anyOf", "oneOf", "allOf"] {
      if let first = schema[word]?.elements.first { return write(first, depth: depth + 1, into: &json) }
    }
    switch schema["type"]?.string ?? schema["type"]?.elements.first?.string {
    case "string": json.value(String(said.prefix(schema["maxLength"]?.integer ?? .max)))
    case "integer", "number": json.value(number(schema))
    case "boolean": json.value(isBad)
    case "null": json.null()
    case "array": writeArray(schema, depth, into: &json)
    default:
      json.object {
        for (name, value) in schema["properties"]?.members ?? [] {
          $0.key(name)
          write(value, depth: depth + 1, into: &$0)
        }
      }
    }
  }

  private var isBad: Bool { words.contains { Self.bad.contains($0) } }

  /// What was said itself; else what a few words tell of its mood; else the first.
  private func choose(_ choices: [JSONElement]) -> JSONElement? {
    if let said = choices.first(where: { $0.string.map { words.contains($0.lowercased()) } ?? false }) { return said }
    let mood =
      isBad
      ? ["negative", "high"] : words.contains { Self.good.contains($0) } ? ["positive", "low"] : ["neutral", "normal"]
    return choices.first { $0.string.map { mood.contains($0) } ?? false } ?? choices.first
  }

  private func number(_ schema: JSONElement) -> Int {
    let least = schema["minimum"]?.integer ?? 1
    return min(max(1, least), schema["maximum"]?.integer ?? .max)
  }

  /// The longest words where texts are asked for, each once.
  private func writeArray(_ schema: JSONElement, _ depth: Int, into json: inout JSONWriter) {
    let least = schema["minItems"]?.integer ?? 0
    let most = min(schema["maxItems"]?.integer ?? 3, 100)
    let items = resolve(schema["items"])
    json.array {
      if items?["type"]?.string == "string", items?["enum"] == nil {
        var topics: [String] = []
        for word in words.sorted(by: { ($1.count, $0) < ($0.count, $1) }) where !topics.contains(word) {
          topics.append(word)
        }
        for topic in topics.prefix(max(least, min(most, 3))) { $0.value(topic) }
      } else {
        for _ in 0..<min(max(least, 1), max(most, least)) { write(items, depth: depth + 1, into: &$0) }
      }
    }
  }

  /// Follows a reference within the schema.
  private func resolve(_ schema: JSONElement?) -> JSONElement? {
    guard let path = schema?["$ref"]?.string, path.hasPrefix("#/") else { return schema }
    return path.dropFirst(2).split(separator: "/").reduce(root) { $0?[String($1)] }
  }
}
