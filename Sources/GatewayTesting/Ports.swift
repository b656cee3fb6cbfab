package import Kernel
import Synchronization

/// Ports on 127.0.0.1 for tests, below those that the kernel gives to outgoing connections.
package enum Ports {
  private static let range = 20_000..<32_000
  private static let next = Atomic<Int>(Int.random(in: range))

  /// A port that nobody listens on now, and that no other test of this process gets.
  package static func free() -> Int {
    while true {
      let port = range.lowerBound + next.add(1, ordering: .relaxed).newValue % range.count
      if !SocketCalls.isTaken(loopback(port)), !SocketCalls.isTaken(loopback(port, v6: true)) { return port }
    }
  }

  package static func loopback(_ port: Int, v6: Bool = false) -> SocketAddress {
    .ip(v6 ? IPAddress(high: 0, low: 1) : IPAddress(v4: 0x7F00_0001), port: UInt16(port))
  }
}
