import Kernel
import PluginKit

/// Reads along what passes through a tunnel in one direction, and may end it.
class TunnelListener {
  /// Why the tunnel is to be closed, and what the client is told of it as a text (RFC 6455 §5.6); nil while it goes on.
  var ending: (fault: Fault, text: [UInt8])? { nil }

  func take(_ bytes: Span<UInt8>) {}
}
