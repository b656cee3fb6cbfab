/// Where a series of a shard keeps its numbers; of use with that shard only.
public struct SeriesIndex: Sendable, Hashable {
  let offset: Int
  let bounds: HistogramBounds?
}

/// The metrics of one worker: plain numbers, used on its thread alone, without locks or atomics.
///
/// Finding a series by its labels allocates; do it once and keep the index, or ask a `SeriesCache`. Counting is an
/// addition in an array. A family has at most `cap` series; what would come beyond is counted in one more whose
/// labels are all `_OTHER`, so memory is bounded whatever the configuration holds.
public final class MetricShard {
  private struct Key: Hashable {
    let family: String
    let labels: [String]
  }

  /// The label value of the overflow series.
  public static let other = "_OTHER"

  private let cap: Int
  private var values: [Int] = []
  private var series: [MetricSnapshot.Series] = []
  private var indices: [Key: SeriesIndex] = [:]
  private var counts: [String: Int] = [:]

  /// - Parameter cap: series of a family, beside the overflow series.
  public init(cap: Int = 2_000) { self.cap = cap }

  /// Finds or makes the series of these labels.
  ///
  /// - Parameter labels: as many as the family has; an empty one is left out of the page.
  public func series(_ family: MetricFamily, _ labels: [String] = []) -> SeriesIndex {
    precondition(labels.count == family.labels.count, "a label value for each label of the family")
    let key = Key(family: family.name, labels: labels)
    if let index = indices[key] { return index }
    let count = counts[family.name, default: 0]
    if count < cap || labels.isEmpty {
      counts[family.name] = count + 1
      return make(family, key)
    }
    let overflow = Key(family: family.name, labels: labels.map { _ in MetricShard.other })
    return indices[overflow] ?? make(family, overflow)
  }

  /// Counts `amount` more, or moves a gauge by it.
  @inline(__always)
  public func add(_ series: SeriesIndex, _ amount: Int = 1) { values[series.offset] &+= amount }

  /// Sets a gauge, or a counter that is kept elsewhere.
  @inline(__always)
  public func set(_ series: SeriesIndex, _ value: Int) { values[series.offset] = value }

  /// Takes a gauge from the page until it is set again.
  public func unset(_ series: SeriesIndex) { values[series.offset] = Self.absent }
  private static let absent = Int.min

  /// Takes the gauges of a family from the page until they are gathered again: what some told of may be gone.
  public func unset(_ family: MetricFamily) {
    for one in series where one.family.name == family.name { values[one.offset] = Self.absent }
  }

  /// Adds to a gauge, which begins at zero: several things may share the overflow series.
  public func gather(_ series: SeriesIndex, _ amount: Int) {
    let before = values[series.offset]
    values[series.offset] = before == Self.absent ? amount : before &+ amount
  }

  /// Counts one duration in a histogram; below zero counts as zero.
  public func observe(_ series: SeriesIndex, nanoseconds: Int) {
    guard let bounds = series.bounds else { preconditionFailure("only histograms observe") }
    let value = max(0, nanoseconds)
    values[series.offset + bounds.bucket(of: value)] &+= 1
    values[series.offset + bounds.count + 1] &+= value
  }

  /// Counts one value that is no duration in a histogram.
  public func observe(_ series: SeriesIndex, count: Int) { observe(series, nanoseconds: count) }

  /// What there is now, for another thread.
  public func snapshot() -> MetricSnapshot {
    MetricSnapshot(series: series.filter { values[$0.offset] != Self.absent }, values: values)
  }

  private func make(_ family: MetricFamily, _ key: Key) -> SeriesIndex {
    var bounds: HistogramBounds?
    if case .histogram(let own) = family.kind { bounds = own }
    let index = SeriesIndex(offset: values.count, bounds: bounds)
    values.append(contentsOf: repeatElement(0, count: family.width))
    series.append(MetricSnapshot.Series(family: family, labels: key.labels, offset: index.offset))
    indices[key] = index
    return index
  }
}

/// The numbers of a shard at one moment.
public struct MetricSnapshot: Sendable {
  struct Series: Sendable {
    let family: MetricFamily
    let labels: [String]
    let offset: Int
  }

  let series: [Series]
  let values: [Int]

  func values(of series: Series) -> ArraySlice<Int> { values[series.offset..<series.offset + series.family.width] }
}
