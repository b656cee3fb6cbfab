import AI
import HTTP
import JSON
import Kernel
import PluginKit

/// Counts what a provider says of tokens in the events of a realtime conversation, which ends when a limit is spent.
final class RealtimeListener: TunnelListener {
  private let pass: ProviderPass
  private var texts = WebSocketTexts(longest: 1 << 20)
  private var fault: Fault?

  init(_ pass: ProviderPass) {
    self.pass = pass
    super.init()
  }

  override func take(_ bytes: Span<UInt8>) {
    texts.take(bytes) { [self] event in
      guard let usage = RealtimeUsage.read(event) else { return }
      let refusal = pass.add(usage)
      fault = fault ?? refusal
    }
  }

  override var ending: (fault: Fault, text: [UInt8])? { fault.map { ($0, Self.event($0)) } }

  /// An error as clients of realtime conversations read it.
  ///
  /// https://platform.openai.com/docs/api-reference/realtime-server-events/error
  private static func event(_ fault: Fault) -> [UInt8] {
    var json = JSONWriter()
    json.object {
      $0.member("type", "error")
      $0.member("event_id", "event_limit")
      $0.object("error") {
        let word = "\(fault.reason)"
        $0.member("type", word == "insufficient_quota" ? word : "rate_limit_error")
        $0.member("code", word)
        $0.member("message", "\(fault.detail)")
      }
    }
    return BodyCollector.array(json.buffer)
  }
}
