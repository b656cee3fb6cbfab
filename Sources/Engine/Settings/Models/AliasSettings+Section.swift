import AI
import Configuration

extension AliasSettings {
  static let section = Section(
    "model", AliasSettings(name: ""), "A name that clients ask for.", shorthand: "model",
    [
      Keyword("model", \.model, .modelReference, "The model that is meant: PROVIDER/MODEL, or another of these names."),
      Keyword("split", \.split, .section(ModelSplit.section), "Several models that share the calls, instead of one."),
      Keyword(
        "fallbacks", \.fallbacks, .list(of: .modelReference, maximum: 16),
        "Who is asked next, in order, when a model cannot be reached, is too slow, limits, fails or answers nonsense."),
      Keyword("timeouts", \.timeouts, .section(ModelTimeouts.section), "How long each part of a call may take."),
    ],
    check: { alias, node, reading in
      guard (alias.model == nil) == (alias.split == nil) else { return }
      reading.error(
        alias.model == nil ? "nothing says which model is meant" : "a model and a split cannot both come first",
        at: node.position, expected: "`model: PROVIDER/MODEL`, or `split: { to: … }`")
    })
}

extension ModelSplit {
  /// As it is written: a share without a model has been reported.
  fileprivate struct Part: Sendable {
    var model: ModelReference?
    var weight = 1
  }

  static let section = Section(
    "split", ModelSplit(), "Several models that share the calls of a name.",
    [
      Keyword(
        "by", \.by, .splitKey,
        "random, or a value of the request: calls that agree in it go the same way, those without it a random one."),
      Keyword(
        "to", .list(of: .section(part), minimum: 1, maximum: 64), required: true, "The models with their weights.",
        get: { $0.to.map { Part(model: $0.model, weight: $0.weight) } },
        set: { split, parts in
          split.to = parts.compactMap { part in part.model.map { Share(model: $0, weight: part.weight) } }
        }),
    ],
    check: { split, node, reading in
      guard !split.to.isEmpty, split.to.allSatisfy({ $0.weight == 0 }) else { return }
      reading.error("no model of this split gets anything", at: node.position, expected: "a `weight` above 0")
    })

  private static let part = Section(
    "share", Part(), "One model of a split.",
    [
      Keyword("model", \.model, .modelReference, required: true, "PROVIDER/MODEL, or another of these names."),
      Keyword("weight", \.weight, .integer(in: 0...1_000_000), "Its share beside the others'; 0 gives it nothing."),
    ])
}

extension ModelTimeouts {
  static let section = Section(
    "timeouts", ModelTimeouts(), "How long each part of a call of a model may take.",
    [
      Keyword("connect", \.connect, .duration, "To open a connection; 5s without it."),
      Keyword(
        "first_token", \.firstToken, .duration,
        "Of a stream: from the end of the request to the first of the answer itself; 10m without it."),
      Keyword("between_tokens", \.betweenTokens, .duration, "Of a stream: the longest silence; 5m without it."),
      Keyword(
        "total", \.total, .duration, "The whole call with all that is tried for it, streams too; none by default."),
    ])
}

extension ValueType where Value == ModelReference {
  static var modelReference: ValueType {
    let shape = ScalarShape(
      "model", expectation: "PROVIDER/MODEL, such as openai/gpt-4o-mini, or a name under `models`")
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      if let name = ModelName(text), text.utf8.count <= 256 { return .model(name) }
      let isWord = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
      guard isWord, (1...200).contains(text.utf8.count) else { throw .malformed }
      return .alias(text)
    }
  }
}
