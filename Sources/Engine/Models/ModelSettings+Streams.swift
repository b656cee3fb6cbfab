import Configuration
import PluginKit

extension ModelSettings {
  /// Warns of plugins that read answers on a route whose models may stream: they see whole answers only, and who counts on
  /// them to mask something would never know.
  func warnOfUnreadStreams(
    _ settings: GatewaySettings, _ catalog: PluginCatalog, _ diagnostics: inout Diagnostics
  ) {
    for route in settings.routes {
      guard case .models(let models) = route.handler, models.prompt == nil else { continue }
      for entry in settings.plugins + route.plugins {
        guard catalog.definition(of: entry)?.readsAnswers(entry.settings) == true else { continue }
        diagnostics.warning(
          "`\(entry.name)` reads whole answers: the streams of route `\(route.name)` pass it unread",
          at: entry.position,
          expected: "`guardrails`, which filter streams too, or a route that nobody asks for streams")
      }
    }
  }
}
