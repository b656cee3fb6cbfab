import AI
import Kernel

/// One call of a model: what was asked, and what has come of the answer.
final class ConversationCall {
  /// The model as the client calls it.
  let asked: String
  let model: ModelName
  let provider: ModelProvider
  /// Whether the name that was asked for is one of the configuration's.
  let isConfigured: Bool
  let request: ProviderRequest
  var answer: ProviderAnswer
  /// Monotonic nanoseconds when anything of the answer itself had come; 0 before.
  var firstContent = 0

  init(asked: String, model: ModelName, provider: ModelProvider, request: ProviderRequest, id: String) {
    self.asked = asked
    isConfigured = asked != model.text || provider.price(of: model.model) != nil
    self.model = model
    self.provider = provider
    self.request = request
    let prefix =
      switch request.front {
      case .chat: "chatcmpl-"
      case .messages: "msg_"
      case .responses: "resp_"
      case .generate: ""
      }
    answer = ProviderAnswer(
      request, head: AnswerHead(id: prefix + id, model: asked, created: Clock.wall / 1_000_000_000))
  }

  /// In billionths of a USD; nil when the model has no price.
  var cost: Int? { provider.price(of: model.model).map { $0.cost(of: answer.usage) } }
}
