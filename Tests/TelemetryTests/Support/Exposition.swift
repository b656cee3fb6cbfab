@testable import Telemetry

/// A metrics page read by the letter of its format, refusing whatever the format does not allow.
///
/// Prometheus text format 0.0.4; OpenMetrics 1.0.0 with the rules that apply to counters, gauges and histograms.
struct Exposition {
  struct Sample: Equatable {
    var name: String
    var labels: [String: String]
    var value: String
  }

  struct Family {
    var name: String
    var type: String?
    var help: String?
    var unit: String?
    var samples: [Sample] = []
  }

  struct Malformed: Error, CustomStringConvertible {
    let line: String
    let reason: String
    var description: String { "\(reason): \(line)" }
  }

  let format: MetricPage.Format
  private(set) var families: [Family] = []

  init(_ text: String, _ format: MetricPage.Format) throws(Malformed) {
    self.format = format
    guard text.hasSuffix("\n") else { throw Malformed(line: "", reason: "the last line has no line feed") }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    if format == .openMetrics {
      guard lines.popLast() == "# EOF" else { throw Malformed(line: "", reason: "the page does not end with EOF") }
    }
    for line in lines { try read(line) }
    for family in families { try check(family) }
  }

  /// The value of a sample, by its full name and labels.
  func value(_ name: String, _ labels: [String: String] = [:]) -> String? {
    families.flatMap(\.samples).first { $0.name == name && $0.labels == labels }?.value
  }

  private mutating func read(_ line: String) throws(Malformed) {
    guard line.hasPrefix("#") else { return try read(sample: line) }
    let parts = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 4, parts[0] == "#" else { throw Malformed(line: line, reason: "neither HELP, TYPE nor UNIT") }
    if families.last?.name != parts[2] {
      guard !families.contains(where: { $0.name == parts[2] }) else {
        throw Malformed(line: line, reason: "a family in two places")
      }
      families.append(Family(name: parts[2]))
    }
    let last = families.count - 1
    guard families[last].samples.isEmpty else { throw Malformed(line: line, reason: "metadata after samples") }
    switch parts[1] {
    case "HELP" where families[last].help == nil: families[last].help = parts[3]
    case "TYPE" where families[last].type == nil: families[last].type = parts[3]
    case "UNIT" where families[last].unit == nil && format == .openMetrics: families[last].unit = parts[3]
    default: throw Malformed(line: line, reason: "unknown or repeated metadata")
    }
  }

  private mutating func read(sample line: String) throws(Malformed) {
    var scanner = Scanner(line)
    let sample = try scanner.sample()
    guard let family = families.last, suffixes(of: family).contains(where: { family.name + $0 == sample.name }) else {
      throw Malformed(line: line, reason: "a sample outside its family")
    }
    guard !family.samples.contains(where: { $0.name == sample.name && $0.labels == sample.labels }) else {
      throw Malformed(line: line, reason: "a series twice")
    }
    families[families.count - 1].samples.append(sample)
  }

  private func suffixes(of family: Family) -> [String] {
    switch family.type {
    case "histogram": ["_bucket", "_count", "_sum"]
    case "counter" where format == .openMetrics: ["_total"]
    default: [""]
    }
  }

  private func check(_ family: Family) throws(Malformed) {
    guard family.help != nil, let type = family.type else {
      throw Malformed(line: family.name, reason: "no HELP or TYPE")
    }
    guard ["counter", "gauge", "histogram"].contains(type) else { throw Malformed(line: type, reason: "type") }
    if let unit = family.unit, !family.name.hasSuffix("_" + unit) { throw Malformed(line: family.name, reason: "unit") }
    for sample in family.samples where type != "gauge" && sample.value.hasPrefix("-") {
      throw Malformed(line: family.name, reason: "a counter below zero")
    }
    if type == "histogram" { try check(histogram: family) }
  }

  /// Buckets rise with their bounds, the last is `+Inf` and equals the count; each has a count and a sum.
  private func check(histogram family: Family) throws(Malformed) {
    var rows: [[String: String]: [(bound: Double, count: Int)]] = [:]
    for sample in family.samples where sample.name.hasSuffix("_bucket") {
      var labels = sample.labels
      guard let bound = labels.removeValue(forKey: "le"), bound == "+Inf" || bound.contains("."),
        let number = Double(bound == "+Inf" ? "inf" : bound), let count = Int(sample.value)
      else { throw Malformed(line: family.name, reason: "a bucket without a bound") }
      if let last = rows[labels]?.last, last.bound >= number || last.count > count {
        throw Malformed(line: family.name, reason: "buckets do not rise")
      }
      rows[labels, default: []].append((number, count))
    }
    for (labels, buckets) in rows {
      guard buckets.last?.bound == .infinity, let count = value(family.name + "_count", labels),
        count == String(buckets.last?.count ?? -1), value(family.name + "_sum", labels) != nil
      else { throw Malformed(line: family.name, reason: "no last bucket, count or sum") }
    }
    guard family.samples.count == rows.values.reduce(0, { $0 + $1.count + 2 }) else {
      throw Malformed(line: family.name, reason: "a sample without its buckets")
    }
  }

  private struct Scanner {
    let line: String
    var rest: Substring

    init(_ line: String) {
      self.line = line
      rest = line[...]
    }

    func malformed(_ reason: String) -> Malformed { Malformed(line: line, reason: reason) }

    mutating func sample() throws(Malformed) -> Sample {
      let name = try word(colons: true)
      var labels: [String: String] = [:]
      if take("{") {
        repeat {
          let label = try word(colons: false)
          guard take("="), take("\""), labels[label] == nil else { throw malformed("label") }
          labels[label] = try text()
        } while take(",")
        guard take("}") else { throw malformed("labels do not end") }
      }
      guard take(" "), !rest.isEmpty, rest.allSatisfy({ "0123456789.-".contains($0) }), Double(rest) != nil else {
        throw malformed("value")
      }
      return Sample(name: name, labels: labels, value: String(rest))
    }

    mutating func word(colons: Bool) throws(Malformed) -> String {
      let found = rest.prefix {
        ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || $0 == "_"
          || (colons && $0 == ":")
      }
      guard let first = found.first, !("0"..."9").contains(first) else { throw malformed("name") }
      rest = rest[found.endIndex...]
      return String(found)
    }

    mutating func text() throws(Malformed) -> String {
      var found = ""
      while let character = rest.popFirst() {
        if character == "\"" { return found }
        if character != "\\" {
          found.append(character)
          continue
        }
        switch rest.popFirst() {
        case "\\": found.append("\\")
        case "n": found.append("\n")
        case "\"": found.append("\"")
        default: throw malformed("escape")
        }
      }
      throw malformed("a label does not end")
    }

    mutating func take(_ character: Character) -> Bool {
      guard rest.first == character else { return false }
      rest.removeFirst()
      return true
    }
  }
}
