import Configuration
import Foreign
import Kernel
import PluginKit
import Runtime

/// What a worker holds of a store.
protocol StoreClient: SharedStore {
  var settings: StoreSettings { get }
  /// The configuration has no such store any more.
  func retire()
}

/// A cluster of Redis or Valkey: a connection for each node, and which of them has which keys.
///
/// Nothing is asked of the cluster but what calls tell by themselves: a node that does not have a key says who does
/// (MOVED), and that is remembered for the key's slot; during a move it says whom to ask this once (ASK). When a node is
/// away its slots are forgotten, and whichever node answers says who has them now.
final class RedisCluster: StoreClient {
  let settings: StoreSettings
  private unowned let worker: Worker
  private let seed: RedisClient
  /// By `HOST:PORT` as nodes write it.
  private var nodes: [String: RedisClient] = [:]
  private var slots: [Int: RedisClient] = [:]
  private let security: TargetSecurity?

  private static let mostHops = 6
  private static let mostNodes = 1000

  init(_ settings: StoreSettings, _ upstream: Upstream, on worker: Worker) {
    self.settings = settings
    self.worker = worker
    seed = RedisClient(settings, on: worker) { upstream.targets.targets }
    security = upstream.targets.targets.first?.security
  }

  var fallsBackToLocal: Bool { settings.unavailable == .local }

  func run(_ script: StoreScript, key: [UInt8], _ arguments: [Int]) async throws(StoreError) -> [Int] {
    try await run(script, key, .numbers(arguments)) { reply throws(StoreError) in try reply.numbers }
  }

  func run(_ script: StoreScript, key: [UInt8], values: [[UInt8]]) async throws(StoreError) -> [[UInt8]?] {
    try await run(script, key, .values(values)) { reply throws(StoreError) in try reply.values }
  }

  private func run<Answer>(
    _ script: StoreScript, _ key: [UInt8], _ arguments: StoreArguments,
    _ read: (RESPValue) throws(StoreError) -> Answer
  ) async throws(StoreError) -> Answer {
    let slot = ClusterSlot.of(key)
    do throws(StoreError) {
      let answer = try read(try await follow(script, key, arguments, slot))
      worker.metrics.storeAnswered(settings.name, "ok")
      return answer
    } catch {
      if error == .away || error == .timeout { slots[slot] = nil }
      worker.metrics.storeAnswered(settings.name, error.rawValue)
      throw error
    }
  }

  /// Goes from node to node until one has the key; not longer than a call may take, and the last hop.
  private func follow(
    _ script: StoreScript, _ key: [UInt8], _ arguments: StoreArguments, _ slot: Int
  ) async throws(StoreError) -> RESPValue {
    let deadline = worker.loop.now + settings.timeout
    var client = slots[slot] ?? anyNode
    var (byDigest, asks) = (true, false)
    for _ in 0..<Self.mostHops where worker.loop.now < deadline {
      let reply = try await client.call(script, byDigest: byDigest, key, arguments, asks: asks)
      guard case .error(let text) = reply else { return reply }
      if text.hasPrefix("NOSCRIPT") {
        byDigest = false
        continue
      }
      let words = text.split(separator: " ")
      guard words.count == 3, words[0] == "MOVED" || words[0] == "ASK", let node = node(String(words[2])) else {
        throw .refused
      }
      if words[0] == "MOVED" { slots[slot] = node }
      (client, byDigest, asks) = (node, true, words[0] == "ASK")
    }
    throw .refused
  }

  /// A node to ask who has a key: one that answers, if there is one.
  private var anyNode: RedisClient {
    seed.isReady ? seed : nodes.values.first { $0.isReady } ?? seed
  }

  /// The node that another one names by its address; nil when that is none.
  private func node(_ name: String) -> RedisClient? {
    if let known = nodes[name] { return known }
    guard nodes.count < Self.mostNodes, let (host, port) = HostPort.split(name), let port, let address = IPAddress(host)
    else { return nil }
    let security = security.map { TargetSecurity(context: $0.context, host: $0.host) }
    let target = Target(
      id: 0, name: name, address: .ip(address, port: UInt16(port)), weight: 1, health: TargetHealth(), breaker: nil,
      outlier: nil, security: security)
    let client = RedisClient(settings, on: worker) { [target] }
    nodes[name] = client
    return client
  }

  func retire() {
    seed.retire()
    for node in nodes.values { node.retire() }
    slots = [:]
  }
}

/// Which of a cluster's 16,384 slots a key is in: CRC-16 (XMODEM) of the key, or of what stands in its first braces.
enum ClusterSlot {
  static func of(_ key: [UInt8]) -> Int {
    var range = key.startIndex..<key.endIndex
    if let open = key.firstIndex(of: UInt8(ascii: "{")),
      let close = key[open...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
    {
      range = open + 1..<close
    }
    var crc: UInt16 = 0
    for byte in key[range] {
      crc ^= UInt16(byte) << 8
      for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    }
    return Int(crc) & 16_383
  }
}
