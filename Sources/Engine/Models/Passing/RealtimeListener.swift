import AI
import HTTP
import Kernel

/// Counts what a provider says of tokens in the events of a realtime conversation.
final class RealtimeListener: TunnelListener {
  private let pass: ProviderPass
  private var texts = WebSocketTexts(longest: 1 << 20)

  init(_ pass: ProviderPass) {
    self.pass = pass
    super.init()
  }

  override func take(_ bytes: Span<UInt8>) {
    texts.take(bytes) { [pass] event in
      if let usage = RealtimeUsage.read(event) { pass.add(usage) }
    }
  }
}
