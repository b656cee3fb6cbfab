import Configuration
import HTTP
import PluginKit

/// What all workers share of one limit: the buckets, and what was worked out of its settings.
public final class RateLimiter: Sendable {
  let settings: RateLimit.Settings
  let key: LimitKey
  let table: ArrivalTable
  /// What one request costs, in sixteenths of a nanosecond: high rates have intervals of few nanoseconds.
  let interval: UInt64
  /// How far ahead a bucket may be.
  let tolerance: UInt64
  /// `RateLimit-Policy`.
  let policy: RenderedFields
  /// Monotonic nanoseconds that count as the beginning, so that sixteenths fit for as long as a process lives.
  private let epoch: Int

  static let unit: UInt64 = 16
  private static let second = unit * 1_000_000_000

  init(_ settings: RateLimit.Settings, now: Int) throws(PluginError) {
    self.settings = settings
    key = LimitKey(settings.key)
    do { table = try ArrivalTable(keys: settings.keys) } catch {
      throw PluginError("there is no memory for \(settings.keys) `keys` (\(error)); fewer need less")
    }
    let count = UInt64(settings.rate.count)
    let per = UInt64(settings.rate.per) * Self.unit
    // Upwards: a rate that does not divide its second admits a little less than it says, never more.
    interval = (per + count - 1) / count
    tolerance = interval * UInt64(settings.bucket)
    var value = "\"\(settings.label)\";q=\(settings.bucket)"
    // A window is whole seconds; below one it would say less than is admitted.
    if tolerance >= Self.second { value += ";w=\(Self.seconds(tolerance))" }
    policy = RenderedFields(("RateLimit-Policy", value))
    epoch = now - 1_000_000_000
  }

  /// A time of the worker's clock, as the table counts it.
  func time(_ now: Int) -> UInt64 { UInt64(max(1, now &- epoch)) &* Self.unit }

  /// How many requests a bucket still takes that is so far ahead.
  func remaining(_ ahead: UInt64) -> Int { Int((tolerance - min(ahead, tolerance)) / interval) }

  /// Seconds until a bucket that is so far ahead takes a request again; at least 1.
  func wait(_ ahead: UInt64) -> Int { max(1, Self.seconds(ahead + interval - tolerance)) }

  /// Whole seconds, rounded up; less than a microsecond more is none, as intervals are rounded.
  static func seconds(_ time: UInt64) -> Int { Int((time + second - 1 - unit * 1000) / second) }
}
