/// Settings of a plugin that asks models of the gateway's own configuration.
public protocol ModelAskingSettings {
  /// The models, as `ai.models` calls them or as `PROVIDER/MODEL`. Names that nobody knows are mistakes of the configuration.
  var models: [String] { get }
}

/// Asks models of the configuration, for plugins: with the keys, fallbacks and breakers that clients' calls have.
public protocol ModelAsking: AnyObject {
  /// Sends one request, and gathers its whole answer; both speak OpenAI's dialect, whatever the provider does.
  ///
  /// - Parameters:
  ///   - body: a JSON object, whose `model` says who is asked. No stream.
  ///   - timeout: nanoseconds for all attempts together.
  /// - Throws: why nobody answered well.
  func ask(_ question: ModelQuestion, _ body: [UInt8], timeout: Int) async throws(Fault) -> [UInt8]
}

/// What models can be asked for by plugins.
public enum ModelQuestion: Sendable {
  /// The next message of a conversation: `/chat/completions`.
  case chat
  /// What texts mean, as vectors: `/embeddings`.
  case embeddings
  /// Whether texts may be said: `/moderations`.
  case moderations
}
