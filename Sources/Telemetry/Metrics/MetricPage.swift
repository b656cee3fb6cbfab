public import Kernel

/// The metrics of all workers as one page of text.
public enum MetricPage {
  public enum Format: Sendable, CaseIterable {
    case prometheus, openMetrics

    /// The `Content-Type` of the page.
    public var contentType: String {
      switch self {
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  /// Appends the page: families in their declared order, series sorted by their labels, the same every time.
  ///
  /// - Parameter snapshots: one from each worker, and any others; numbers of one series are merged.
  public static func render(_ snapshots: [MetricSnapshot], format: Format, into page: inout ByteBuffer) {
    var merged: [String: [[String]: [Int]]] = [:]
    var families = MetricFamily.all
    var known = Set(families.map(\.name))
    for snapshot in snapshots {
      for series in snapshot.series {
        if known.insert(series.family.name).inserted { families.append(series.family) }
        let values = snapshot.values(of: series)
        merge(values, of: series.family, into: &merged[series.family.name, default: [:]][series.labels])
      }
    }
    for family in families {
      guard let series = merged[family.name] else { continue }
      appendHead(of: family, format, to: &page)
      for (labels, values) in series.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
        appendSeries(of: family, labels, values, to: &page)
      }
    }
    if format == .openMetrics { page.append("# EOF\n") }
  }

  private static func merge(_ new: ArraySlice<Int>, of family: MetricFamily, into old: inout [Int]?) {
    guard var values = old else {
      old = Array(new)
      return
    }
    old = nil
    for (index, value) in new.enumerated() {
      switch family.kind {
      case .gauge(.minimum): values[index] = min(values[index], value)
      case .gauge(.maximum): values[index] = max(values[index], value)
      default: values[index] &+= value
      }
    }
    old = values
  }

  private static func appendHead(of family: MetricFamily, _ format: Format, to page: inout ByteBuffer) {
    // The older format names a counter as its samples are named.
    let suffix = family.kind == .counter && format == .prometheus ? "_total" : ""
    page.append("# HELP \(family.name)\(suffix) ")
    page.append(escaping: family.help, quotes: format == .openMetrics)
    page.append("\n# TYPE \(family.name)\(suffix) \(family.kind.word)\n")
    if format == .openMetrics, family.unit != .none { page.append("# UNIT \(family.name) \(family.unit.rawValue)\n") }
  }

  private static func appendSeries(
    of family: MetricFamily, _ labels: [String], _ values: [Int], to page: inout ByteBuffer
  ) {
    switch family.kind {
    case .counter: appendSample(of: family, "_total", labels, to: &page) { $0.append(values[0], as: family.unit) }
    case .gauge: appendSample(of: family, "", labels, to: &page) { $0.append(values[0], as: family.unit) }
    case .histogram(let bounds):
      var count = 0
      for (bucket, bound) in (bounds.values + [Int.max]).enumerated() {
        count += values[bucket]
        appendSample(of: family, "_bucket", labels, below: bound, to: &page) { $0.append(decimal: count) }
      }
      appendSample(of: family, "_count", labels, to: &page) { $0.append(decimal: count) }
      appendSample(of: family, "_sum", labels, to: &page) { $0.append(values[values.count - 1], as: family.unit) }
    }
  }

  /// - Parameter bound: of a histogram's bucket; `Int.max` is the last.
  private static func appendSample(
    of family: MetricFamily, _ suffix: StaticString, _ labels: [String], below bound: Int? = nil,
    to page: inout ByteBuffer, value: (inout ByteBuffer) -> Void
  ) {
    page.append(family.name)
    page.append(suffix)
    var separator = UInt8(ascii: "{")
    for (name, text) in zip(family.labels, labels) where !text.isEmpty {
      page.append(separator)
      page.append(name)
      page.append("=\"")
      page.append(escaping: text, quotes: true)
      page.append(UInt8(ascii: "\""))
      separator = UInt8(ascii: ",")
    }
    if let bound {
      page.append(separator)
      page.append("le=\"")
      if bound == .max { page.append("+Inf") } else { page.append(bound: bound, as: family.unit) }
      page.append(UInt8(ascii: "\""))
      separator = UInt8(ascii: ",")
    }
    if separator == UInt8(ascii: ",") { page.append(UInt8(ascii: "}")) }
    page.append(UInt8(ascii: " "))
    value(&page)
    page.append(UInt8(ascii: "\n"))
  }
}

extension MetricFamily.Kind {
  var word: String {
    switch self {
    case .counter: "counter"
    case .gauge: "gauge"
    case .histogram: "histogram"
    }
  }
}

extension ByteBuffer {
  /// Appends the bound of a bucket, with a point, as OpenMetrics wants it.
  fileprivate mutating func append(bound: Int, as unit: MetricFamily.Unit) {
    append(bound, as: unit)
    if unit != .seconds { append(".0") }
  }

  /// Appends a number: seconds exactly and with a point, anything else as it is.
  fileprivate mutating func append(_ value: Int, as unit: MetricFamily.Unit) {
    guard unit == .seconds else { return append(decimal: value) }
    if value < 0 { append(UInt8(ascii: "-")) }
    append(decimal: value.magnitude / 1_000_000_000)
    append(UInt8(ascii: "."))
    var fraction = Int(value.magnitude % 1_000_000_000)
    var digits = 9
    while digits > 1, fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    append(zeroPadded: fraction, digits: digits)
  }

  /// Appends text with backslash, line feed and, where they delimit, double quotes escaped.
  fileprivate mutating func append(escaping text: String, quotes: Bool) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\\"): append("\\\\")
      case UInt8(ascii: "\n"): append("\\n")
      case UInt8(ascii: "\"") where quotes: append("\\\"")
      default: append(byte)
      }
    }
  }
}
