import AI
import HTTP
import Kernel
import PluginKit

/// What a provider says in the fields of an answer's head.
enum AnswerFields {
  /// What a passed answer is: speech, for example.
  static func contentType(_ exchange: inout Exchange) -> String? {
    guard let type = exchange.response.header(.contentType) else { return nil }
    return String(decoding: type.indices.map { type[$0] }, as: UTF8.self)
  }

  /// Whether a whole answer is one text.
  static func isText(_ exchange: inout Exchange) -> Bool {
    guard let type = exchange.response.header(.contentType) else { return false }
    return AnswerMedia(type) == .text
  }

  /// Takes away what a provider says beside its answer, such as whose account it is.
  static func keepOwn(_ response: inout ResponseMessage) {
    var others: [String] = []
    response.head.headers.forEach(in: response.source) { name, _ in
      let name = String(decoding: Array(copying: name), as: UTF8.self)
      if !ofAnswer.contains(name.lowercased()) { others.append(name) }
    }
    response.removeHeaders(FieldNameSet(others))
  }

  private static let ofAnswer: Set = [
    "content-type", "content-length", "content-disposition", "date", "transfer-encoding", "connection",
  ]

  /// When the provider wants to be asked again.
  static func retryHint(_ exchange: inout Exchange, _ body: [UInt8]) -> RetryHint {
    var hint = RetryHint(now: Clock.wall / 1_000_000_000)
    exchange.response.head.headers.forEach(in: exchange.response.source) { name, value in
      guard name.count <= 60, value.count <= 60 else { return }
      hint.take(
        String(decoding: name.indices.map { name[$0] }, as: UTF8.self).lowercased(),
        String(decoding: value.indices.map { value[$0] }, as: UTF8.self))
    }
    if let body = try? JSONElement(parsing: body) { hint.take(body: body) }
    return hint
  }

  /// Bedrock counts in fields of the head what its models' answers do not say.
  static func countedInput(_ exchange: inout Exchange) -> Int {
    guard let text = exchange.response.header(named: "x-amzn-bedrock-input-token-count"), text.count <= 12 else {
      return 0
    }
    return Int(String(decoding: text.indices.map { text[$0] }, as: UTF8.self)) ?? 0
  }
}
