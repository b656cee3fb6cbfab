/// A length of time or a point of the monotonic clock, in nanoseconds.
package typealias Nanoseconds = Int

extension Nanoseconds {
  package static func milliseconds(_ count: Int) -> Nanoseconds { count * 1_000_000 }
  package static func seconds(_ count: Int) -> Nanoseconds { count * 1_000_000_000 }
  package static func minutes(_ count: Int) -> Nanoseconds { count * 60_000_000_000 }
  package static func hours(_ count: Int) -> Nanoseconds { count * 3_600_000_000_000 }
  package static func days(_ count: Int) -> Nanoseconds { count * 86_400_000_000_000 }
}
