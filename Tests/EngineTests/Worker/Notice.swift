import Configuration
import Kernel
import PluginKit

/// The example of docs/PLUGINS.md: fetches a line of text again and again, and adds it to every response.
final class Notice: Plugin {
  struct Settings: Sendable {
    var upstream = ""
    var every = Nanoseconds.minutes(1)
  }

  static let section = Section(
    "notice", Settings(), "Adds a line from another service to every response.",
    [
      Keyword("upstream", \.upstream, .text(), required: true, "The upstream that is asked."),
      Keyword("every", \.every, .duration, "How often."),
    ])

  private var line = ""

  init(_ settings: Settings, _ services: any WorkerServices) {
    services.start { [weak self] in
      do {
        while true {
          await self?.fetch(from: settings.upstream, services.client)
          try await services.sleep(settings.every)
        }
      } catch {}  // Cancelled: no exchange meets this instance any more.
    }
  }

  private func fetch(from upstream: String, _ client: any HTTPClient) async {
    let request = ClientRequest(upstream: upstream, target: "/notice", timeout: .seconds(2), largestResponse: 256)
    // Without an answer the last one stays: a plugin decides itself what an outage means.
    guard let response = try? await client.send(request), response.status == 200 else { return }
    line = String(decoding: response.body.prefix { $0 >= 0x20 && $0 < 0x7F }, as: UTF8.self)
  }
}

extension Notice: ResponseHeadHook {
  func onResponseHead(_ exchange: inout Exchange) {
    if !line.isEmpty { exchange.response.setHeader("X-Notice", line) }
  }
}
