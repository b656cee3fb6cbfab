/// How much of its share a target gets while it warms up.
///
/// From a tenth to all of it, evenly over the configured time, beginning with the first pick after the target came back.
/// The balancer is not told of it: the target is passed over so often that the rest is its share, which holds for every
/// algorithm.
struct SlowStart {
  /// Monotonic nanoseconds; nil: it is warm.
  private var began: Int?
  private var isOut = false

  private static let least = 0.1

  /// The target is new beside others.
  mutating func begin(now: Int) { began = now }

  /// The target was seen to be out.
  mutating func left() { isOut = true }

  /// The share at this moment, for a target that is not out.
  mutating func share(now: Int, length: Int) -> Double {
    if isOut {
      isOut = false
      began = now
    }
    guard let began else { return 1 }
    let elapsed = now - began
    guard elapsed < length else {
      self.began = nil
      return 1
    }
    return max(Self.least, Double(elapsed) / Double(length))
  }
}
