import JSON
import Kernel

/// What a client asked of embeddings that were asked of another dialect's provider.
public struct AskedEmbeddings: Sendable {
  /// How the provider is asked.
  public let back: EmbeddingBack
  let count: Int
  let isBase64: Bool
  let isBatch: Bool
  /// The tokens that the texts may be, where nobody counts them.
  let estimate: Int
}

extension ModelRequest {
  /// Whether texts are to become vectors.
  public var asksEmbeddings: Bool { operation?.embeds ?? false }

  /// Makes the request that a provider gets for embeddings: the same bytes where the dialect is the same.
  ///
  /// - Parameters:
  ///   - back: how it is asked; nil: not at all.
  ///   - model: as the provider calls it.
  public func prepareEmbeddings(
    for back: EmbeddingBack?, model: String, unsupported: ProviderRequest.Unsupported = .refuse
  ) throws(Refusal) -> ProviderRequest {
    guard let back else { throw Refusal("model", "The model that is asked for embeds no texts.") }
    if let native = back.native, native == front { return try prepare(for: back.errors, model: model) }
    var losses = Losses()
    let isBatch = operation?.path != ":embedContent"
    let request = try EmbeddingFront.read(front, body, isBatch: isBatch, &losses)
    var json = JSONWriter(capacity: body.document.count + 256)
    try back.write(request, model: model, into: &json, &losses)
    if unsupported == .refuse, let first = losses.fields.first {
      throw Refusal(first, "`\(first)` cannot be said to the model that is asked for; leave it out.")
    }
    let asked = AskedEmbeddings(
      back: back, count: request.texts.count, isBase64: request.isBase64, isBatch: isBatch, estimate: inputTokens)
    return ProviderRequest(
      front: front, back: back.errors, body: Array(copying: json.buffer.span), streams: false, showsUsage: true,
      dropped: losses.fields, operation: operation, embeddings: asked)
  }
}
