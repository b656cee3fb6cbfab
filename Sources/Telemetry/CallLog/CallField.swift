/// A member of a call log line, in the order in which lines are usually written.
///
/// This list is the whole vocabulary: `docs/CALL-LOG.md` shows it, and a test fails when the two differ. Absent
/// means "does not apply", never zero or an empty string.
public enum CallField: UInt8, CaseIterable, Sendable {
  case time, requestID, traceID, spanID, parentID, listener, client, consumer
  case tlsVersion, tlsCipher, tlsServerName, tlsClient
  case method, host, route, template, version, path, query, `protocol`
  case status, fault, reason, rule, cancelled, responseViolations, cache,
    cacheSimilarity
  case rpcStatus, mcpMethod, mcpName, closedBy, closeCode
  case bytesIn, bytesOut
  case upstream, target, upstreamProtocol, attempts
  case prompt, promptText, answerText, model, provider, providerModel, tried, finish, inputTokens, cachedTokens,
    outputTokens, reasoningTokens,
    usage,
    cost,
    firstToken
  case decisions
  case total, queue, connect, firstByte, body, overhead
  case requestHeaders, responseHeaders
  case truncated

  /// The member's name in the line.
  public var key: StaticString {
    switch self {
    case .time: "time"
    case .requestID: "request_id"
    case .traceID: "trace_id"
    case .spanID: "span_id"
    case .parentID: "parent_id"
    case .listener: "listener"
    case .client: "client"
    case .consumer: "consumer"
    case .tlsVersion: "tls_version"
    case .tlsCipher: "tls_cipher"
    case .tlsServerName: "tls_server_name"
    case .tlsClient: "tls_client"
    case .method: "method"
    case .host: "host"
    case .route: "route"
    case .template: "template"
    case .version: "version"
    case .path: "path"
    case .query: "query"
    case .protocol: "protocol"
    case .status: "status"
    case .fault: "fault"
    case .reason: "reason"
    case .rule: "rule"
    case .cancelled: "cancelled"
    case .responseViolations: "response_violations"
    case .cache: "cache"
    case .cacheSimilarity: "cache_similarity"
    case .rpcStatus: "grpc_status"
    case .mcpMethod: "mcp_method"
    case .mcpName: "mcp_name"
    case .closedBy: "closed_by"
    case .closeCode: "close_code"
    case .bytesIn: "bytes_in"
    case .bytesOut: "bytes_out"
    case .upstream: "upstream"
    case .target: "target"
    case .upstreamProtocol: "upstream_protocol"
    case .attempts: "attempts"
    case .prompt: "prompt"
    case .promptText: "prompt_text"
    case .answerText: "answer_text"
    case .model: "model"
    case .provider: "provider"
    case .providerModel: "provider_model"
    case .tried: "tried"
    case .finish: "finish"
    case .inputTokens: "input_tokens"
    case .cachedTokens: "cached_tokens"
    case .outputTokens: "output_tokens"
    case .reasoningTokens: "reasoning_tokens"
    case .usage: "usage"
    case .cost: "cost_nanousd"
    case .firstToken: "first_token_us"
    case .decisions: "decisions"
    case .total: "total_us"
    case .queue: "queue_us"
    case .connect: "connect_us"
    case .firstByte: "first_byte_us"
    case .body: "body_us"
    case .overhead: "overhead_us"
    case .requestHeaders: "request_headers"
    case .responseHeaders: "response_headers"
    case .truncated: "truncated"
    }
  }

  /// What JSON type the member has.
  public var type: StaticString {
    switch self {
    case .status, .responseViolations, .rpcStatus, .closeCode, .bytesIn, .bytesOut, .attempts, .total, .queue, .connect,
      .firstByte, .body, .overhead, .cacheSimilarity, .inputTokens, .cachedTokens, .outputTokens, .reasoningTokens,
      .cost, .firstToken,
      .truncated:
      "integer"
    case .requestHeaders, .responseHeaders: "object"
    case .decisions: "array"
    default: "string"
    }
  }

  /// One line for the reference.
  public var help: String {
    switch self {
    case .time: "When the request's first byte arrived: RFC 3339, UTC, microseconds. Always the first member."
    case .requestID: "The id that the client, the upstream and the answer's `X-Request-Id` carry too."
    case .traceID: "The distributed trace that the request is part of, where the plugin `trace` is."
    case .spanID: "What the gateway is called in that trace: the parent of what the target does."
    case .parentID: "Who called the gateway in that trace; absent when it begins here."
    case .listener: "The listener that accepted the connection, by its name in the configuration."
    case .client: "The client's address: the connection's peer, or what a trusted proxy said."
    case .consumer: "Who called, once a plugin has found out."
    case .tlsVersion: "The version of TLS, such as `TLSv1.3`; absent in the clear, as the other three."
    case .tlsCipher: "The cipher, such as `TLS_AES_128_GCM_SHA256`."
    case .tlsServerName: "The host that the client asked for in the handshake."
    case .tlsClient: "The subject of the client's certificate; absent when it showed none."
    case .method: "The request's method as sent."
    case .host: "The request's host without its port."
    case .route: "The matched route's name; absent when none matched."
    case .template: "The path pattern that matched, such as `/v1/items/{id}`."
    case .version: "The version of the API that the route is, where the configuration says so."
    case .path: "The path as routed: normalised, without the query."
    case .query: "The query as `call_log.query` allows: values redacted, names only, or all of it."
    case .protocol: "The client's protocol, such as `HTTP/1.1`."
    case .status: "The status sent to the client; absent when none was sent."
    case .fault: "Whose fault it was when the gateway answered itself: `client`, `policy`, `upstream` or `gateway`."
    case .reason: "What went wrong, as one word that does not change between versions."
    case .rule: "Which rule of `guardrails` refused the call or its answer, such as `guardrails/deny[0]`."
    case .cancelled: "Who left before the end: `client` or `upstream`."
    case .responseViolations:
      "In how many ways the response violates the schema that `validate` checks it by; absent for none."
    case .cache:
      "What the plugin `cache` had for it: `hit`, `stale`, `revalidated`, `miss` or `bypass`; absent without one. Of calls of models the same of `ai_cache` or a prompt's `cache`."
    case .cacheSimilarity:
      "Of a hit of a semantic `ai_cache`: how near the question is to the one whose answer it is, in thousandths of the cosine."
    case .mcpMethod:
      "What is called of a server of the Model Context Protocol, such as `tools/call`; of several calls the first."
    case .mcpName: "The tool, prompt or resource that it means."
    case .rpcStatus: "How a gRPC call ended, by its status code; absent when it ended without one."
    case .closedBy: "Of a WebSocket, who ended it first: `client`, `upstream` or `gateway`."
    case .closeCode: "Of a WebSocket, the code of its close frame (RFC 6455 §7.4.1); absent when there was none."
    case .bytesIn: "Bytes of the request's body that arrived."
    case .bytesOut: "Bytes of the response's body that were sent to the client."
    case .upstream: "The upstream that the request was for."
    case .target: "The address of the target that answered, or was tried last."
    case .upstreamProtocol: "What the target is spoken to in: `HTTP/1.1` or `HTTP/2`."
    case .attempts: "How many times a target was tried; absent when none was."
    case .promptText:
      "What users said in a call of a model, masked and cut; only where the route's `ai.log` asks for it."
    case .answerText: "What the model answered in words, in the same way."
    case .prompt: "The prompt that was used, with its version: `triage@2`."
    case .model: "The model that the client asked for; this and the next ten only for calls of models."
    case .provider: "Who runs the model."
    case .providerModel: "What the provider calls it."
    case .tried: "Models that were asked before it, each with why it did not answer."
    case .finish: "Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter` or `refusal`."
    case .inputTokens: "Tokens of the prompt, as the provider counted, those in its cache too."
    case .cachedTokens: "Those of them that the provider had in its cache; absent when none were."
    case .outputTokens: "Tokens of the answer, as the provider counted, thoughts too."
    case .reasoningTokens: "Those of them that were thoughts; absent when none were."
    case .usage:
      "`estimated` where the provider did not come to say its counts: tokens are by the length of what was sent and came."
    case .cost: "What the call cost, in billionths of a USD; absent when the model has no price."
    case .firstToken: "Microseconds from sending the request to the first piece of the answer itself."
    case .decisions:
      "What each plugin decided that the request came to, with `call_log.decisions`: `plugin`, `verdict` (`pass`, `refuse` or `answer`) and `us`, how long it took with what it waited for."
    case .total: "Microseconds from the request's first byte to the answer's last."
    case .queue: "Microseconds spent waiting for a connection of the pool."
    case .connect: "Microseconds spent connecting to the target; absent on a kept connection."
    case .firstByte: "Microseconds from sending the request to the answer's first byte."
    case .body: "Microseconds from the answer's first byte to its last."
    case .overhead: "Microseconds of the total that the gateway itself spent, waiting for nobody."
    case .requestHeaders: "The request's fields that `call_log.headers.request` names."
    case .responseHeaders: "The answer's fields that `call_log.headers.response` names."
    case .truncated: "How many values of this line were cut or left out because they were too long; absent when none."
    }
  }
}
