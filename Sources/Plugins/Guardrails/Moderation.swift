import Configuration
import JSON
import Kernel
import PluginKit

/// Asks a moderation about what users and models said: a model of the configuration, or a service of the operator's own.
///
/// Both speak as OpenAI's `/v1/moderations`: a list of texts goes out, and for each comes whether it is flagged and for what.
final class Moderation: GuardrailJudge {
  let name = "moderation"
  private let settings: ModerationSettings

  private static let largestAnswer = 1 << 20
  private static let longestCategory = 40

  init(_ settings: ModerationSettings) { self.settings = settings }

  var mayBeAway: Bool { settings.unavailable == .allow }

  func judge(_ call: ModelCall, _ services: any WorkerServices) async -> (Judgement, isKept: Bool) {
    (await judge(call.userTexts.filter { !$0.isEmpty }, call.asker, services), false)
  }

  func judge(_ texts: [String], _ asker: (any ModelAsking)?, _ services: any WorkerServices) async -> Judgement {
    if texts.isEmpty { return .passed }
    guard let answer = await ask(texts, asker, services.client) else { return .unavailable }
    return read(answer, count: texts.count)
  }

  private func ask(_ texts: [String], _ asker: (any ModelAsking)?, _ client: any HTTPClient) async -> [UInt8]? {
    var json = JSONWriter(capacity: texts.reduce(128) { $0 + $1.utf8.count + 8 })
    json.object { json in
      if let model = settings.model { json.member("model", model) }
      json.array("input") { for text in texts { $0.value(text) } }
    }
    let body = Array(copying: json.buffer.span)
    guard let service = settings.service else {
      return try? await asker?.ask(.moderations, body, timeout: settings.timeout)
    }
    var fields = [
      (name: "Host", value: service.url.hostField), (name: "Accept", value: "application/json"),
      (name: "Content-Type", value: "application/json"),
    ]
    if let secret = settings.secret { fields.append((name: "Authorization", value: "Bearer \(secret.reveal())")) }
    let request = ClientRequest(
      method: "POST", upstream: service.upstream, target: service.url.target, headers: fields, body: body,
      timeout: settings.timeout, largestResponse: Self.largestAnswer)
    guard let answer = try? await client.send(request), answer.status == 200 else { return nil }
    return answer.body
  }

  /// An answer that does not say of each text whether it is flagged says nothing.
  private func read(_ answer: [UInt8], count: Int) -> Judgement {
    var document = JSONDocument()
    let bytes = answer.span
    guard (try? document.parse(bytes)) != nil, document.kind(0) == .object,
      let results = try? document.member("results".utf8Span.span, of: 0, in: bytes), document.kind(results) == .array
    else { return .unavailable }
    var node = results + 1
    var seen = 0
    while node < document.next(results) {
      guard document.kind(node) == .object,
        let flagged = try? document.member("flagged".utf8Span.span, of: node, in: bytes),
        document.kind(flagged) == .yes || document.kind(flagged) == .no
      else { return .unavailable }
      let categories = categories(of: node, document, bytes)
      if settings.categories.isEmpty {
        if document.kind(flagged) == .yes { return .blocked(categories.first ?? "") }
      } else if let found = categories.first(where: settings.categories.contains) {
        return .blocked(found)
      }
      seen += 1
      node = document.next(node)
    }
    // Some judge all texts together.
    return seen == count || seen == 1 ? .passed : .unavailable
  }

  /// The names of what is found, as far as they are names.
  private func categories(of result: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> [String] {
    guard let list = try? document.member("categories".utf8Span.span, of: result, in: bytes),
      document.kind(list) == .object
    else { return [] }
    var names: [String] = []
    var node = list + 1
    while node < document.next(list) {
      let value = document.next(node)
      let name = String(decoding: Array(copying: document.content(node, in: bytes)), as: UTF8.self)
      if document.kind(value) == .yes, name.utf8.count <= Self.longestCategory, name.utf8.allSatisfy(Self.isNameByte) {
        names.append(name)
      }
      node = document.next(value)
    }
    return names
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
