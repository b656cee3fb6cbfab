import Configuration
import Kernel
import PluginKit

/// Whose requests a limit counts together: one value of the request or several.
struct LimitKey: Sendable {
  private let values: [RequestValue]
  /// Most limits count by address, which needs no look at the values.
  private let isAddress: Bool
  /// Random, so that nobody outside can choose keys that meet in a table.
  private let seed: UInt64

  init(_ values: [RequestValue], seed: UInt64 = KernelRandom.next()) {
    self.values = values
    isAddress = values == [.ip]
    self.seed = seed
  }

  /// A number for the key of this request; two keys have the same by chance only.
  ///
  /// A value that the request does not have is replaced by the client's address, so that leaving it out wins nothing.
  func hash(in exchange: borrowing Exchange) -> UInt64 {
    if isAddress { return Self.client(exchange).hash(seed: seed) }
    var hash = seed
    for index in values.indices {
      // By its place too: an address that stands for a consumer is not the consumer of that name.
      let place = seed ^ UInt64(truncatingIfNeeded: index + 1)
      let value: UInt64
      switch values[index] {
      case .ip: value = Self.client(exchange).hash(seed: ~place)
      case let other: value = other.hash(in: exchange, seed: place) ?? Self.client(exchange).hash(seed: ~place)
      }
      hash = Hash.fold(hash ^ value, 0x9e37_79b9_7f4a_7c15)
    }
    return hash
  }

  /// The key as text that is the same in every gateway, each value behind a byte that no value has.
  func append(of exchange: borrowing Exchange, to out: inout ByteBuffer) {
    for value in values {
      out.append(0x1F)
      let start = out.count
      if case .ip = value {
        Self.client(exchange).append(to: &out)
      } else if !value.append(of: exchange, to: &out) {
        // Another byte: an address that stands for a consumer is not the consumer of that name.
        out.append(0x1E)
        Self.client(exchange).append(to: &out)
      }
      if out.count - start > Self.longestValue { Self.shorten(&out, from: start) }
    }
  }

  /// The key for people: `consumer acme, ip 127.0.0.1 for want of header.x-user`.
  func words(for exchange: borrowing Exchange) -> String {
    var words: [String] = []
    for value in values {
      var text = ByteBuffer(capacity: 64)
      if value != .ip, value.append(of: exchange, to: &text) {
        words.append("\(value.text) \(String(decoding: Self.bytes(text), as: UTF8.self))")
      } else {
        words.append("ip \(Self.client(exchange))" + (value == .ip ? "" : " for want of \(value.text)"))
      }
    }
    return words.joined(separator: ", ")
  }

  private static func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    let span = buffer.span
    return Array(copying: span)
  }

  private static let longestValue = 256

  /// Keeps the beginning of a value, and a hash of all of it.
  private static func shorten(_ out: inout ByteBuffer, from start: Int) {
    let hash = ByteScan.hash(out.span.extracting(start..<out.count), seed: 0x6b_65_79)
    out.truncate(to: start + longestValue)
    out.append(0x1E)
    out.append(sixteenDigits: hash)
  }

  /// An IPv6 address counts by its first 64 bits: whoever has one has all behind them.
  private static func client(_ exchange: borrowing Exchange) -> IPAddress {
    let client = exchange.client
    return client.isV4 ? client : IPAddress(high: client.high, low: 0)
  }
}
