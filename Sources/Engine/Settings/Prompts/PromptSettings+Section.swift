import AI
import Configuration
import JSON
import JSONSchema
import Kernel

extension PromptSettings {
  static let section = Section(
    "prompt", PromptSettings(), "A prompt that callers use like any other endpoint.",
    [
      Keyword("description", \.help, .text(), "What it is for, in the description of the API."),
      Keyword(
        "current", \.current, .text(), "The version that answers who names none; without it there is one version."),
      Keyword(
        "versions", \.versions,
        .named(
          PromptVersionSettings.section, key: "VERSION", name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), required: true, "What it says, by version."),
    ],
    check: { prompt, node, reading in
      let names = prompt.versions.map(\.name)
      let place = (node.value(for: "current") ?? node).position
      if names.isEmpty {
        reading.error(
          "the prompt `\(Printable(prompt.name))` has no version", at: place, expected: "`versions: { 1: … }`")
      } else if let current = prompt.current, !names.contains(current) {
        reading.error(
          "there is no version `\(Printable(current))`", at: place, expected: "one of \(names.joined(separator: ", "))")
      } else if prompt.current == nil, names.count > 1 {
        reading.error(
          "nothing says which version of `\(Printable(prompt.name))` is current", at: place,
          expected: "`current:` with one of \(names.joined(separator: ", "))")
      }
    })
}

extension PromptVersionSettings {
  static let section = Section(
    "version", PromptVersionSettings(), "One version of a prompt.",
    [
      Keyword(
        "model", \.model, .modelReference, required: true, "Who is asked: a name under `models`, or PROVIDER/MODEL."),
      Keyword(
        "inputs", \.inputs,
        .named(
          PromptInput.section, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), "What callers send, each with its type."),
      Keyword("system", \.system, .promptTemplate, "Instructions; `{{NAME}}` is an input."),
      Keyword("user", \.user, .promptTemplate, required: true, "What the model is told; `{{NAME}}` is an input."),
      Keyword("output", \.output, .section(PromptOutputSettings.section), "What the answer must be; without it, text."),
      Keyword("temperature", \.temperature, .temperature, "How freely the next token is drawn; 0 for the likeliest."),
      Keyword("max_tokens", \.maxTokens, .integer(in: 1...10_000_000), "The most tokens that the answer may have."),
      Keyword("cache", \.cache, .section(PromptCacheSettings.section), "Keeps answers for the same inputs."),
    ],
    check: { version, node, reading in version.checkNames(node, &reading) })

  private func checkNames(_ node: Node, _ reading: inout Reading) {
    let known = inputs.map(\.name)
    var used: Set<String> = []
    for (word, template) in [("system", system), ("user", user)] {
      guard let template else { continue }
      used.formUnion(template.names)
      for name in template.names where !known.contains(name) {
        reading.error(
          "there is no input `\(name)`", at: (node.value(for: word) ?? node).position,
          expected: known.isEmpty ? "`inputs: { \(name): string }`" : "one of \(known.joined(separator: ", "))",
          hint: reading.nearest(name, in: known))
      }
    }
    for input in inputs where !used.contains(input.name) {
      reading.warning("no template of this version uses the input `\(input.name)`", at: input.position)
    }
  }
}

extension PromptOutputSettings {
  static let section = Section(
    "output", PromptOutputSettings(), "What a prompt's answer must be.",
    [
      Keyword(
        "schema", \.schema, .schema, required: true,
        "The path of a file with a JSON Schema, or the schema itself: asked of the model, and enforced.")
    ])
}

extension PromptCacheSettings {
  static let section = Section(
    "cache", PromptCacheSettings(), "How long a prompt's answers are kept.", shorthand: "ttl",
    [
      Keyword("ttl", \.ttl, .duration, "How long an answer is given again to the same inputs."),
      Keyword("shared", \.isShared, .boolean, "Whether one consumer may get what another one's call has brought."),
    ])
}

extension PromptInput {
  static let section = Section(
    "input", PromptInput(), "A value that a prompt takes.", shorthand: "type",
    [
      Keyword("type", \.kind, .choice, "What it is; a list is one of texts."),
      Keyword("minimum", \.minimum, .promptBound, "The least that a number may be, or the fewest elements of a list."),
      Keyword(
        "maximum", \.maximum, .promptBound,
        "The size of a text, such as 20KiB; the most that a number may be, or the most elements of a list."),
      Keyword("choices", \.choices, .list(of: .text(), maximum: 1000), "The only texts that it may be."),
      Keyword("default", \.initial, .promptDefault, "What it is when the caller says nothing."),
      Keyword("optional", \.isOptional, .boolean, "Whether it may be left out though it has no default."),
    ],
    check: { input, node, reading in input.check(node, &reading) })

  private func check(_ node: Node, _ reading: inout Reading) {
    func place(_ word: String) -> Position { (node.value(for: word) ?? node).position }
    if !choices.isEmpty, kind != .string {
      reading.error("only texts have `choices`", at: place("choices"), expected: "`type: string`")
      return
    }
    for (word, bound) in [("minimum", minimum), ("maximum", maximum)] {
      guard let bound else { continue }
      let isRight =
        switch kind {
        case .string: word == "maximum" && bound.bytes != nil
        case .list, .integer: bound.bytes == nil && Int(bound.text) != nil
        case .number: bound.bytes == nil
        case .boolean: false
        }
      if isRight { continue }
      let expected =
        switch kind {
        case .string: "`maximum` with a size such as 20KiB"
        case .list, .integer: "a whole number"
        case .number: "a number"
        case .boolean: "no `\(word)`"
        }
      return reading.error("`\(bound.text)` is no \(word) of a \(kind.rawValue)", at: place(word), expected: expected)
    }
    guard let initialLiteral else { return }
    if !Self.fits(Array(initialLiteral.utf8), schema) {
      reading.error(
        "the default is not what the input `\(name)` takes", at: place("default"),
        expected: "a \(kind.rawValue) that is")
    }
  }

  private static func fits(_ value: [UInt8], _ schema: String) -> Bool {
    guard let schema = try? Schema(Array(schema.utf8)) else { return false }
    var document = JSONDocument()
    guard (try? document.parse(value.span)) != nil else { return false }
    var validator = SchemaValidator(schema)
    return validator.validate(document, value.span)
  }
}

extension ValueType where Value == PromptTemplate {
  fileprivate static var promptTemplate: ValueType {
    .scalar(
      ScalarShape("template", expectation: "a text in which {{NAME}} stands for an input"), text: \.text
    ) { text throws(ScalarMistake) in
      do throws(PromptTemplate.Mistake) { return try PromptTemplate(text) } catch {
        throw .other(error.message, at: error.offset)
      }
    }
  }
}

extension ValueType where Value == PromptBound {
  fileprivate static var promptBound: ValueType {
    let size = ValueType<Int>.size(in: 1...(1 << 30))
    return ValueType(
      shape: .scalar(
        ScalarShape("bound", expectation: "a size such as 20KiB, or a number", schema: [("type", .string("string"))])),
      read: { node, reading in
        if node.isBroken { return nil }
        if node.isScalar, ValueType<String>.decimal(node.text) != nil { return PromptBound(text: node.text) }
        return size.read(node, &reading).map { PromptBound(text: node.text, bytes: $0) }
      },
      describe: { .text($0.text) })
  }
}

extension ValueType where Value == PromptDefault {
  fileprivate static var promptDefault: ValueType {
    ValueType(
      shape: .anything,
      read: { node, _ in
        if node.isBroken { return nil }
        return PromptDefault(
          literal: node.json.text, text: node.isScalar ? node.text : "", isScalar: node.isScalar && !node.isNull)
      },
      describe: { .text($0.literal) })
  }
}
