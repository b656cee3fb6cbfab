import Kernel

/// Reads along what passes through a tunnel in one direction.
class TunnelListener {
  func take(_ bytes: Span<UInt8>) {}
}
