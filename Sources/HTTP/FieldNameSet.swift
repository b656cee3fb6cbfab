import Kernel

/// Field names to be taken away together: known ones as bits, others by their bytes.
///
/// Made once, when a configuration is compiled; a head is then searched in one pass, however many names there are.
public struct FieldNameSet: Sendable {
  private(set) var known = FieldNames()
  private(set) var others: [[UInt8]] = []
  /// A bit for each length that one of the others has, so that most fields are passed over without a comparison.
  private var lengths: UInt64 = 0

  /// - Parameter names: tokens (RFC 9110 §5.6.2), in any case.
  public init(_ names: some Sequence<String>) {
    for name in names { insert(name) }
  }

  public var isEmpty: Bool { known.isEmpty && others.isEmpty }

  private mutating func insert(_ name: String) {
    let field = FieldName.known(name.utf8Span.span)
    guard field == .other else { return known.insert(field) }
    others.append(Array(name.utf8))
    lengths |= Self.bit(name.utf8.count)
  }

  /// Whether a name that is not a known one is among these.
  @inline(__always)
  func containsOther(_ name: Span<UInt8>) -> Bool {
    if lengths & Self.bit(name.count) == 0 { return false }
    for other in others where ByteScan.equalIgnoringCase(other.span, name) { return true }
    return false
  }

  private static func bit(_ length: Int) -> UInt64 { 1 << UInt64(length & 63) }
}

extension HeaderBlock {
  /// Removes every field whose name is in the set.
  public mutating func remove(_ names: borrowing FieldNameSet, in source: Span<UInt8>) {
    if names.others.isEmpty, !FieldNames(bits: fields.present | added.present).intersects(names.known) { return }
    for index in fields.indices where Self.isMeant(fields[index], by: names, in: source) { mark(index, .removed) }
    for index in added.indices where Self.isMeant(added[index], by: names, in: addedBytes.span) {
      removeAdded(index)
    }
  }

  @inline(__always)
  private static func isMeant(_ field: Field, by names: borrowing FieldNameSet, in source: Span<UInt8>) -> Bool {
    field.isNamed(.other) ? names.containsOther(field.name(in: source)) : names.known.contains(number: field.number)
  }
}
