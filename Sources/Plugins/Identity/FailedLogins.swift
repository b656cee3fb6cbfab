import Configuration
import Kernel
import PluginKit

/// How often each address has tried bad credentials, counted across workers and reloads in bounded memory.
///
/// It is a rate limit that only failures charge: an address whose bucket is empty is refused before its credentials
/// are looked at, so that guessing on teaches nothing.
final class FailedLogins: Sendable {
  private let table: ArrivalTable
  private let interval: UInt64
  private let tolerance: UInt64
  private let seed = KernelRandom.next()
  private static let keys = 1 << 16

  init(_ rate: Rate) throws(PluginError) {
    do { table = try ArrivalTable(keys: Self.keys) } catch {
      throw PluginError("there is no memory to count failed logins (\(error))")
    }
    interval = UInt64(max(1, rate.per / rate.count))
    tolerance = interval * UInt64(rate.count)
  }

  /// For how many seconds the client has to wait; nil when it may try.
  func wait(for exchange: borrowing Exchange, now: Int) -> Int? {
    let ahead = table.arrival(of: key(exchange)) &- Self.time(now)
    // A time that has passed is "ahead" by more than any tolerance.
    guard ahead <= tolerance, ahead &+ interval > tolerance else { return nil }
    return Int((ahead + interval - tolerance + 999_999_999) / 1_000_000_000)
  }

  func charge(_ exchange: borrowing Exchange, now: Int) {
    _ = table.charge(key(exchange), now: Self.time(now), interval: interval, tolerance: tolerance)
  }

  /// An IPv6 address counts by its first 64 bits: whoever has one has all behind them.
  private func key(_ exchange: borrowing Exchange) -> UInt64 {
    let client = exchange.client
    return (client.isV4 ? client : IPAddress(high: client.high, low: 0)).hash(seed: seed)
  }

  private static func time(_ now: Int) -> UInt64 { UInt64(max(1, now)) }
}

/// What the workers share of an authenticator that counts failures.
public struct CountingFailures<Settings: Sendable>: Sendable {
  let settings: Settings
  let failures: FailedLogins

  init(_ settings: Settings, _ rate: Rate) throws(PluginError) {
    self.settings = settings
    failures = try FailedLogins(rate)
  }
}
