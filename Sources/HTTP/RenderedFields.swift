import Kernel

/// Field lines written out once and added to many heads.
///
/// What a configuration says about fields does not change between requests, so its lines are checked and rendered
/// when it is compiled; adding them is one copy of bytes and one of offsets.
public struct RenderedFields: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Offsets count from the begin of `bytes`.
  private(set) var lines: [Field] = []

  public init() {}

  /// - Parameter fields: names that are tokens and values that can stand in a field; others are left out.
  public init(_ fields: (name: String, value: String)...) {
    for field in fields { append(field.name, field.value) }
  }

  public var isEmpty: Bool { lines.isEmpty }

  /// Appends a field; false, and nothing changed, when the name is no token or the value could not stand in one.
  @discardableResult
  public mutating func append(_ name: String, _ value: String) -> Bool {
    let nameBytes = name.utf8Span.span
    guard HeaderBlock.isToken(nameBytes), HeaderBlock.isValue(value.utf8Span.span) else { return false }
    let start = bytes.count
    bytes += name.utf8
    bytes += [UInt8(ascii: ":"), UInt8(ascii: " ")]
    let valueStart = bytes.count
    bytes += value.utf8
    bytes += [HeaderBlock.cr, HeaderBlock.lf]
    lines.append(
      Field(
        nameStart: UInt32(start), nameLength: UInt16(nameBytes.count), number: FieldName.known(nameBytes).rawValue,
        flags: 0, valueStart: UInt32(valueStart), valueLength: UInt32(value.utf8.count)))
    return true
  }
}

extension HeaderBlock {
  /// Adds the fields beside what is there.
  public mutating func add(_ rendered: borrowing RenderedFields) {
    if rendered.lines.isEmpty { return }
    let offset = UInt32(truncatingIfNeeded: addedBytes.count)
    addedBytes.append(rendered.bytes.span)
    for line in rendered.lines {
      var moved = line
      moved.nameStart &+= offset
      moved.valueStart &+= offset
      added.append(moved)
    }
  }
}
