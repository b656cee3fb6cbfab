/// How a fault is told: as the client's own dialect has errors. Calls of gRPC have theirs beside it.
public enum FaultShape: UInt8, Sendable {
  /// problem+json (RFC 9457).
  case problem
  /// The error object of OpenAI.
  case openai
  /// That of Anthropic.
  case anthropic
  /// That of Google.
  case gemini
  /// JSON-RPC 2.0.
  case call
}
