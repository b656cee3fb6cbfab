/// A metric as readers see it: its name, its meaning, and the labels that tell its series apart.
///
/// Names follow OpenTelemetry's HTTP conventions, written the Prometheus way; what they do not know begins with
/// `sluice_`. Labels are names of the configuration and small fixed sets, never anything that a client chose.
public struct MetricFamily: Sendable {
  public enum Kind: Sendable, Equatable {
    case counter
    case gauge(Merge = .sum)
    case histogram(HistogramBounds)
  }

  /// What a gauge is when several workers have a value of it.
  public enum Merge: Sendable { case sum, minimum, maximum }

  public enum Unit: String, Sendable {
    case none = ""
    case bytes
    /// Kept as whole nanoseconds, written as seconds.
    case seconds
  }

  /// Without the `_total` that a counter's samples have.
  public let name: String
  public let kind: Kind
  public let unit: Unit
  public let help: String
  public let labels: [StaticString]

  public init(_ name: String, _ kind: Kind, unit: Unit = .none, labels: [StaticString] = [], _ help: String) {
    precondition(unit == .none || name.hasSuffix("_" + unit.rawValue), "a family's name ends with its unit")
    (self.name, self.kind, self.unit, self.help, self.labels) = (name, kind, unit, help, labels)
  }

  /// How many numbers a series keeps.
  var width: Int {
    // A bucket for each bound and one beyond, and the sum.
    if case .histogram(let bounds) = kind { return bounds.count + 2 }
    return 1
  }
}

/// Where a histogram's buckets end, both ends of the scale chosen for what is measured.
public enum HistogramBounds: UInt8, Sendable, CaseIterable {
  /// Requests: what OpenTelemetry advises, and finer ones below, where a gateway's answers are.
  case requests
  /// What the gateway adds itself.
  case overhead
  /// Tokens of models, as OpenTelemetry's conventions advise: each bound is four times the one before.
  case tokens

  /// Upper bounds, inclusive, rising: nanoseconds, or tokens.
  public var values: [Int] {
    switch self {
    case .requests: HistogramBounds.requestBounds.span.indices.map { HistogramBounds.requestBounds[$0] }
    case .overhead: HistogramBounds.overheadBounds.span.indices.map { HistogramBounds.overheadBounds[$0] }
    case .tokens: HistogramBounds.tokenBounds.span.indices.map { HistogramBounds.tokenBounds[$0] }
    }
  }

  /// How many there are.
  var count: Int {
    switch self {
    case .requests: HistogramBounds.requestBounds.count
    case .overhead: HistogramBounds.overheadBounds.count
    case .tokens: HistogramBounds.tokenBounds.count
    }
  }

  /// The bucket that a value falls into; `count` when it is beyond all of them.
  func bucket(of value: Int) -> Int {
    switch self {
    case .requests: HistogramBounds.bucket(of: value, in: HistogramBounds.requestBounds.span)
    case .overhead: HistogramBounds.bucket(of: value, in: HistogramBounds.overheadBounds.span)
    case .tokens: HistogramBounds.bucket(of: value, in: HistogramBounds.tokenBounds.span)
    }
  }

  private static func bucket(of value: Int, in bounds: Span<Int>) -> Int {
    var bucket = 0
    while bucket < bounds.count, value > bounds[bucket] { bucket += 1 }
    return bucket
  }

  // In place, not on the heap: whoever reads an array counts a reference to it.
  private static let requestBounds: InlineArray<17, Int> = [
    500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 75_000_000, 100_000_000,
    250_000_000, 500_000_000, 750_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 7_500_000_000,
    10_000_000_000,
  ]

  private static let overheadBounds: InlineArray<13, Int> = [
    5_000, 10_000, 20_000, 30_000, 50_000, 75_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000, 25_000_000,
    100_000_000,
  ]

  private static let tokenBounds: InlineArray<14, Int> = [
    1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
  ]
}
