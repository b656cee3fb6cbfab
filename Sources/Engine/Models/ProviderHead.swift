import AI
import HTTP
import Kernel
import PluginKit

/// The head of a request as a provider gets it.
enum ProviderHead {
  /// - Parameter length: of the body; nil where it goes out in chunks.
  static func write(
    _ call: ConversationCall, _ exchange: inout Exchange, length: Int?, into out: inout ByteBuffer
  ) {
    out.removeAll()
    begin(call, into: &out)
    out.append("Content-Type: ")
    appendType(call, exchange, to: &out)
    out.append("\r\nX-Request-Id: ")
    append(exchange.id, to: &out)
    out.append("\r\n")
    // A client of the same dialect knows which version it speaks, and which features it tries.
    if call.request.isNative, call.provider.settings.speaks == .anthropic {
      let given = exchange.request.header(named: "anthropic-version")
      if let given { field("anthropic-version", given, to: &out) } else { version(into: &out) }
      if let beta = exchange.request.header(named: "anthropic-beta") { field("anthropic-beta", beta, to: &out) }
    } else if call.provider.settings.speaks == .anthropic {
      version(into: &out)
    }
    end(length, into: &out)
  }

  /// The same for a request of the gateway's own.
  static func write(_ call: ConversationCall, into out: inout ByteBuffer) {
    begin(call, into: &out)
    out.append("Content-Type: application/json\r\n")
    if call.provider.settings.speaks == .anthropic { version(into: &out) }
    end(call.request.body.count, into: &out)
  }

  private static func begin(_ call: ConversationCall, into out: inout ByteBuffer) {
    guard let url = call.provider.endpoint else { return }
    out.append("POST ")
    out.append(url.path)
    writePath(call, into: &out)
    out.append(" HTTP/1.1\r\nHost: ")
    out.append(url.host)
    out.append("\r\nAccept-Encoding: identity\r\nAccept: ")
    let streamType: StaticString =
      call.request.back == .bedrock ? "application/vnd.amazon.eventstream" : "text/event-stream"
    out.append(call.request.streams ? streamType : call.request.operation == nil ? "application/json" : "*/*")
    out.append("\r\nUser-Agent: sluice\r\n")
    writeKey(call, into: &out)
  }

  private static func version(into out: inout ByteBuffer) { out.append("anthropic-version: 2023-06-01\r\n") }

  private static func end(_ length: Int?, into out: inout ByteBuffer) {
    if let length {
      out.append("Content-Length: ")
      out.append(decimal: length)
    } else {
      out.append("Transfer-Encoding: chunked")
    }
    out.append("\r\n\r\n")
  }

  /// A form's type says what stands between its parts.
  private static func appendType(
    _ call: ConversationCall, _ exchange: borrowing Exchange, to out: inout ByteBuffer
  ) {
    if call.request.formPrefix != nil, let type = exchange.request.header(.contentType) { return out.append(type) }
    out.append("application/json")
  }

  private static func writePath(_ call: ConversationCall, into out: inout ByteBuffer) {
    let operation =
      call.request.embeddings?.path ?? call.request.operation?.path
      ?? (call.request.back == .responses ? "/responses" : nil)
    switch call.provider.settings.speaks {
    case .openai: out.append(operation ?? "/chat/completions")
    case .cohere:
      // Its own paths, and those under which it is compatible.
      if operation == "/rerank" { out.append("/v2") }
      if operation?.hasPrefix("/v2") != true, operation != "/rerank" { out.append("/compatibility/v1") }
      out.append(operation ?? "/chat/completions")
    case .anthropic:
      out.append("/v1")
      out.append(operation ?? "/messages")
    // Says the deployment in the body, and has a version for all.
    case .azure where call.request.back == .responses: out.append("/openai/v1/responses")
    case .azure:
      out.append("/openai/deployments/")
      out.append(call.model.model)
      out.append(operation ?? "/chat/completions")
      out.append("?api-version=")
      out.append(call.provider.settings.apiVersion ?? "")
    case .bedrock:
      out.append("/model/")
      out.append(AWSSignature.encoded(call.model.model))
      out.append(bedrockAction(call))
    case .gemini:
      out.append("/v1beta/models/")
      out.append(call.model.model)
      out.append(operation ?? (call.request.streams ? ":streamGenerateContent?alt=sse" : ":generateContent"))
    }
  }

  private static func bedrockAction(_ call: ConversationCall) -> String {
    call.request.embeddings?.path ?? (call.request.streams ? "/converse-stream" : "/converse")
  }

  private static func writeKey(_ call: ConversationCall, into out: inout ByteBuffer) {
    switch call.provider.settings.speaks {
    case .gemini:
      if let key = call.key { field("x-goog-api-key", key, to: &out) }
    case .openai, .cohere:
      if let key = call.key { field("Authorization", "Bearer \(key)", to: &out) }
    case .azure:
      if let key = call.key { field("api-key", key, to: &out) }
    case .bedrock: sign(call, into: &out)
    case .anthropic:
      if let key = call.key { field("x-api-key", key, to: &out) }
    }
  }

  private static func sign(_ call: ConversationCall, into out: inout ByteBuffer) {
    let provider = call.provider.settings
    guard let signature = AWSSignature(provider), let url = call.provider.endpoint else { return }
    let path = [url.path, "/model/", call.model.model, bedrockAction(call)]
    let fields = signature.fields(
      host: url.host, path: path[0] + path[1] + AWSSignature.encoded(AWSSignature.encoded(path[2])) + path[3],
      body: call.request.body, now: Clock.wall / 1_000_000_000)
    for (name, value) in fields {
      out.append(name)
      out.append(": ")
      out.append(value)
      out.append("\r\n")
    }
  }

  private static func field(_ name: StaticString, _ value: String, to out: inout ByteBuffer) {
    out.append(name)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
  }

  private static func field(_ name: StaticString, _ value: Span<UInt8>, to out: inout ByteBuffer) {
    out.append(name)
    out.append(": ")
    out.append(value)
    out.append("\r\n")
  }

  private static func append(_ id: borrowing ByteBuffer, to out: inout ByteBuffer) { out.append(id.span) }
}

extension AskedEmbeddings {
  /// Where a provider is asked for them.
  fileprivate var path: String {
    switch back {
    case .openai: "/embeddings"
    case .gemini: ":batchEmbedContents"
    case .cohere: "/v2/embed"
    case .titan, .bedrockCohere: "/invoke"
    }
  }
}
