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
    append(name.utf8Span.span, value.utf8Span.span)
  }

  /// The same for what was received.
  @discardableResult
  public mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    guard HeaderBlock.isToken(name), HeaderBlock.isValue(value) else { return false }
    let start = bytes.count
    for index in name.indices { bytes.append(name[index]) }
    bytes += [UInt8(ascii: ":"), UInt8(ascii: " ")]
    let valueStart = bytes.count
    for index in value.indices { bytes.append(value[index]) }
    bytes += [HeaderBlock.cr, HeaderBlock.lf]
    lines.append(
      Field(
        nameStart: UInt32(start), nameLength: UInt16(name.count), number: FieldName.known(name).rawValue,
        flags: 0, valueStart: UInt32(valueStart), valueLength: UInt32(value.count)))
    return true
  }

  /// Visits name and value of every field.
  public func forEach(_ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    for line in lines { body(line.name(in: bytes.span), line.value(in: bytes.span)) }
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
