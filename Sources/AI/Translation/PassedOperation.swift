/// What else a provider is asked beside conversations: passed as it is, but for the model's name, to providers that speak
/// the client's dialect. Embeddings are translated for others.
public struct PassedOperation: Sendable, Equatable {
  /// The dialect that has it.
  public let front: Front
  /// What its path ends in: `/embeddings`, `/messages/count_tokens`, `:countTokens`.
  public let path: String

  public static let embeddings = PassedOperation(front: .chat, path: "/embeddings")
  public static let moderations = PassedOperation(front: .chat, path: "/moderations")

  /// All of them. The version of the API stands before those that begin with a slash, the model before the others.
  public static let all: [PassedOperation] =
    (["/embeddings", "/rerank", "/moderations", "/images/generations", "/audio/speech"] + forms).map {
      PassedOperation(front: .chat, path: $0)
    } + [PassedOperation(front: .messages, path: "/messages/count_tokens")]
    + [":countTokens", ":embedContent", ":batchEmbedContents"].map { PassedOperation(front: .generate, path: $0) }

  /// Those that come as a form with a file in it.
  private static let forms = ["/images/edits", "/images/variations", "/audio/transcriptions", "/audio/translations"]

  /// Whether it may come as a form.
  public var takesForm: Bool { Self.forms.contains(path) }

  /// Whether texts become vectors.
  public var embeds: Bool { ["/embeddings", ":embedContent", ":batchEmbedContents"].contains(path) }

  /// Whether providers take nothing for it: counting tokens, and judging texts.
  public var isFree: Bool { ["/moderations", "/messages/count_tokens", ":countTokens"].contains(path) }

  /// Whether the same request has the same answer anyway: nothing is drawn.
  public var isDetermined: Bool { embeds || ["/rerank", "/moderations"].contains(path) }
}

extension PassedOperation {
  /// What an answer that is passed says of tokens: of speech, or where nobody counts, nothing.
  func readUsage(_ body: [UInt8]) -> Usage {
    guard body.first == UInt8(ascii: "{"), let element = try? JSONElement(parsing: body) else { return Usage() }
    return embeds ? EmbeddingBack.readUsage(element) : Self.readCounts(element)
  }

  /// What an answer says of tokens, or an event of one.
  static func readCounts(_ answer: JSONElement) -> Usage {
    guard let counts = answer["usage"], counts.isObject else { return Usage() }
    // Images and transcriptions are counted in the words of Responses.
    if counts["input_tokens"] != nil {
      return Usage(input: Usage.count(counts["input_tokens"]), output: Usage.count(counts["output_tokens"]))
    }
    let usage = Chat.readUsage(counts)
    // Rankings have a sum alone.
    return usage.isEmpty ? Usage(input: Usage.count(counts["total_tokens"])) : usage
  }
}
