import JSON
import Kernel

/// A whole answer as octets, for gateways to hand it to each other: JSON of their own, no provider's.
extension Answer {
  /// Another number when what is written changes: gateways of two versions may share a store.
  private static let version = 1

  public var octets: [UInt8] {
    var json = JSONWriter(capacity: size + 256)
    json.object { json in
      json.member("v", Self.version)
      json.member("id", head.id)
      json.member("model", head.model)
      json.member("created", head.created)
      json.member("finish", finish.reason.rawValue)
      if let sequence = finish.sequence { json.member("sequence", sequence) }
      json.array("usage") {
        for count in [usage.input, usage.cachedInput, usage.writtenInput, usage.output, usage.reasoning] {
          $0.value(count)
        }
      }
      json.array("parts") { list in
        for part in parts { list.array { part.write(to: &$0) } }
      }
    }
    return Array(copying: json.buffer.span)
  }

  /// Nil where these are not the octets of one that this version knows.
  public init?(octets: [UInt8]) {
    guard let json = try? JSONElement(parsing: octets), json["v"]?.integer == Self.version,
      let reason = json["finish"]?.string.flatMap({ Finish.Reason(rawValue: $0) }), let parts = json["parts"],
      let counts = json["usage"]?.elements.map({ $0.integer ?? 0 }), counts.count == 5
    else { return nil }
    head = AnswerHead(
      id: json["id"]?.string ?? "", model: json["model"]?.string ?? "", created: json["created"]?.integer ?? 0)
    finish = Finish(reason, sequence: json["sequence"]?.string)
    usage = Usage(
      input: counts[0], cachedInput: counts[1], writtenInput: counts[2], output: counts[3], reasoning: counts[4])
    self.parts = []
    for element in parts.elements {
      guard let part = Part(element.elements.map { $0.string }) else { return nil }
      self.parts.append(part)
    }
  }
}

extension Part {
  /// Its kind, and what belongs to it. Nothing is written of what no model answers with.
  fileprivate func write(to list: inout JSONWriter) {
    switch self {
    case .text(let text): for word in ["text", text] { list.value(word) }
    case .refusal(let text): for word in ["refusal", text] { list.value(word) }
    case .toolCall(let call): for word in ["tool", call.id, call.name, call.arguments] { list.value(word) }
    case .reasoning(.text(let text, let signature)):
      for word in ["thought", text] + (signature.map { [$0] } ?? []) { list.value(word) }
    case .reasoning(.opaque(let data)): for word in ["opaque", data] { list.value(word) }
    case .image, .file, .toolResult: list.value("none")
    }
  }

  fileprivate init?(_ words: [String?]) {
    let said = words.compactMap { $0 }
    guard said.count == words.count else { return nil }
    switch (said.first, said.count) {
    case ("text", 2): self = .text(said[1])
    case ("refusal", 2): self = .refusal(said[1])
    case ("tool", 4): self = .toolCall(ToolCall(id: said[1], name: said[2], arguments: said[3]))
    case ("thought", 2): self = .reasoning(.text(said[1], signature: nil))
    case ("thought", 3): self = .reasoning(.text(said[1], signature: said[2]))
    case ("opaque", 2): self = .reasoning(.opaque(said[1]))
    default: return nil
    }
  }
}
