import Kernel
import PluginKit
/// Answers with what the configuration says.
final class RespondHandler: Handler {
  private let settings: RespondSettings

  init(_ settings: RespondSettings) { self.settings = settings }

  func handle(_ exchange: inout Exchange) async -> Verdict {
    exchange.response.begin(status: settings.status)
    for field in settings.headers { exchange.response.addHeader(field.name, field.value) }
    exchange.response.body.append(settings.body)
    return .respond
  }
}
