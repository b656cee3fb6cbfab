import Kernel

final class Target: Sendable {
  let address: SocketAddress
  let name: String
  init(address: SocketAddress, name: String) { self.address = address; self.name = name }
}
package struct TargetSet: Sendable {
  let targets: [Target]
  init(_ settings: UpstreamSettings) {
    targets = settings.targets.compactMap { t in
      switch t.address {
      case .host(let h, let p): IPAddress(h).map { Target(address: .ip($0, port: UInt16(p)), name: t.name) }
      case .unix(let path): Target(address: .unix(path: path), name: t.name)
      }
    }
  }
}
final class RetryBudget: Sendable { init(ratio: Double) {}; func reserve() -> Bool { true }; func release() {} }
