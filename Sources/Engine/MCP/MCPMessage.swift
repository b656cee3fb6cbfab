import AI
import HTTP
import Kernel
import PluginKit

/// What a request of the Model Context Protocol asks: one call of JSON-RPC 2.0, or several at once.
struct MCPMessage {
  struct Call {
    let method: String
    /// The tool, prompt or resource that is meant.
    let name: String?
    /// As it was written; nil for a notification or an answer.
    let id: String?
  }

  let calls: [Call]

  /// Nil for what is no JSON-RPC.
  init?(_ body: [UInt8]) {
    guard let element = try? JSONElement(parsing: body) else { return nil }
    let messages = element.isArray ? element.elements : [element]
    guard !messages.isEmpty, messages.count <= Self.mostCalls else { return nil }
    var calls: [Call] = []
    for message in messages {
      guard message.isObject else { return nil }
      guard let method = message["method"] else {
        // What a client answers to a server's question has a result or an error.
        guard message["result"] != nil || message["error"] != nil else { return nil }
        continue
      }
      guard let text = method.string, text.utf8.count <= Self.longestName else { return nil }
      calls.append(Call(method: text, name: Self.name(text, message["params"]), id: message["id"]?.literal))
    }
    self.calls = calls
  }

  private static let mostCalls = 100
  private static let longestName = 256

  /// What `Mcp-Name` says of a call (2026-07-28, Streamable HTTP).
  private static func name(_ method: String, _ parameters: JSONElement?) -> String? {
    switch method {
    case "tools/call", "prompts/get": parameters?["name"]?.string
    case "resources/read", "resources/subscribe", "resources/unsubscribe": parameters?["uri"]?.string
    default: nil
    }
  }
}

/// The fields that say once more what a request's body asks, so that nobody need read it (2026-07-28).
enum MCPFields {
  /// Whether fields and body agree; where they are not said, as by older clients, there is nothing to agree.
  static func agree(_ exchange: borrowing Exchange, with message: MCPMessage) -> Bool {
    if let method = text(exchange, "mcp-method") {
      guard message.calls.count == 1, message.calls[0].method == method else { return false }
    }
    if let name = text(exchange, "mcp-name") {
      guard message.calls.count == 1, message.calls[0].name == decoded(name) else { return false }
    }
    return true
  }

  private static func text(_ exchange: borrowing Exchange, _ name: String) -> String? {
    guard let value = exchange.request.header(named: name) else { return nil }
    return String(decoding: value.indices.map { value[$0] }, as: UTF8.self)
  }

  /// Names that no field may have are written `=?base64?…?=`.
  private static func decoded(_ text: String) -> String {
    guard text.hasPrefix("=?base64?"), text.hasSuffix("?=") else { return text }
    var decoder = Base64Decoder()
    var out = ByteBuffer()
    let payload = String(text.dropFirst(9).dropLast(2))
    guard decoder.decode(payload.utf8Span.span, into: &out), decoder.isComplete else { return text }
    let span = out.span
    return String(decoding: Array(copying: span), as: UTF8.self)
  }
}

/// Who may call which tools of a server.
struct MCPAllowance {
  private let everybody: [String]
  private let consumers: [String: [String]]
  private let groups: [String: [String]]
  let isRestricted: Bool

  init(_ server: MCPServerSettings) {
    everybody = server.allow
    consumers = Dictionary(server.consumers, uniquingKeysWith: +)
    groups = Dictionary(server.groups, uniquingKeysWith: +)
    isRestricted = server.isRestricted
  }

  func allows(_ tool: String, _ exchange: borrowing Exchange) -> Bool {
    if !isRestricted || Self.matches(tool, everybody) { return true }
    if let consumer = exchange.consumer, Self.matches(tool, consumers[consumer] ?? []) { return true }
    return (exchange.identity?.groups ?? []).contains { Self.matches(tool, groups[$0] ?? []) }
  }

  private static func matches(_ tool: String, _ patterns: [String]) -> Bool {
    patterns.contains { $0.hasSuffix("*") ? tool.hasPrefix($0.dropLast()) : tool == $0 }
  }
}
