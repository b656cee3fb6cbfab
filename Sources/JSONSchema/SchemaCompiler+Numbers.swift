import JSON

/// What is asked of numbers.
extension SchemaCompiler {
  /// Adds the exact rules, and before them one that decides for nearly all numbers without them.
  mutating func addNumbers(of node: Int, isWhole: Bool, to rules: inout [SchemaRule]) throws(SchemaMistake) {
    let kinds = SchemaType.bit(.number)
    var exact: [SchemaRule] = []
    // Bounds that may be met; nil when one of them is no plain number, and only the exact rules tell.
    var plain: ClosedRange<Double>? = -Double.infinity...Double.infinity
    if isWhole { add(.whole, kinds, "type", "must be integer", to: &exact) }
    for bound in Bound.all {
      guard let value = try member("\(bound.keyword)", of: node) else { continue }
      let number = SchemaProgram.add(try number(value), to: &program.numbers)
      let isExclusive = bound.isExclusive
      add(
        bound.isLower ? .minimum(number, isExclusive: isExclusive) : .maximum(number, isExclusive: isExclusive), kinds,
        bound.keyword, "\(bound.detail) \(shown(value))", to: &exact)
      plain = plain.flatMap { bound.narrow($0, plainNumber(value)) }
    }
    if let plain, !exact.isEmpty {
      let skips = UInt8(exact.count)
      let check = SchemaRule.Check.plainNumber(
        low: plain.lowerBound, high: plain.upperBound, isWhole: isWhole, skips: skips)
      add(check, kinds, "type", to: &rules)
    }
    rules += exact
    guard let value = try member("multipleOf", of: node) else { return }
    let divisor = try number(value)
    if !divisor.isPositive { throw mistake("`multipleOf` is above zero", value) }
    let number = SchemaProgram.add(divisor, to: &program.numbers)
    add(.multipleOf(number), kinds, "multipleOf", "must be a multiple of \(shown(value))", to: &rules)
  }

  private struct Bound {
    let keyword: StaticString
    let detail: String
    let isLower: Bool
    let isExclusive: Bool

    static let all = [
      Bound(keyword: "minimum", detail: "must be at least", isLower: true, isExclusive: false),
      Bound(keyword: "exclusiveMinimum", detail: "must be more than", isLower: true, isExclusive: true),
      Bound(keyword: "maximum", detail: "must be at most", isLower: false, isExclusive: false),
      Bound(keyword: "exclusiveMaximum", detail: "must be less than", isLower: false, isExclusive: true),
    ]

    /// What is left of a range within this bound; nil when that is not told by plain numbers, or nothing is left.
    func narrow(_ range: ClosedRange<Double>, _ number: PlainNumber?) -> ClosedRange<Double>? {
      guard let value = number?.value else { return nil }
      let low = isLower ? max(range.lowerBound, isExclusive ? value.nextUp : value) : range.lowerBound
      let high = isLower ? range.upperBound : min(range.upperBound, isExclusive ? value.nextDown : value)
      return low <= high ? low...high : nil
    }
  }
}
