/// What else a provider is asked beside conversations: passed as it is, but for the model's name, to providers that speak
/// the client's dialect.
public struct PassedOperation: Sendable, Equatable {
  /// The dialect that has it.
  public let front: Front
  /// What its path ends in: `/embeddings`, `/messages/count_tokens`, `:countTokens`.
  public let path: String

  public static let embeddings = PassedOperation(front: .chat, path: "/embeddings")

  /// All of them. The version of the API stands before those that begin with a slash, the model before the others.
  public static let all: [PassedOperation] =
    ["/embeddings", "/rerank", "/moderations", "/images/generations", "/audio/speech"].map {
      PassedOperation(front: .chat, path: $0)
    } + [PassedOperation(front: .messages, path: "/messages/count_tokens")]
    + [":countTokens", ":embedContent", ":batchEmbedContents"].map { PassedOperation(front: .generate, path: $0) }
}
