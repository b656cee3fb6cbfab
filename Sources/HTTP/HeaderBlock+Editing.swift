public import Kernel

extension HeaderBlock {
  /// Replaces all fields of this name by one; false, and nothing changed, when the value could not stand in a field.
  @discardableResult
  public mutating func set(_ name: FieldName, _ value: Span<UInt8>, in source: Span<UInt8>) -> Bool {
    if !Self.isValue(value) { return false }
    remove(name)
    append(name, ByteScan.bytes(of: name.text), value)
    return true
  }

  /// As above, for any name, compared without case; false also when the name is no token.
  @discardableResult
  public mutating func set(_ name: Span<UInt8>, _ value: Span<UInt8>, in source: Span<UInt8>) -> Bool {
    if !Self.isToken(name) || !Self.isValue(value) { return false }
    remove(named: name, in: source)
    append(FieldName.known(name), name, value)
    return true
  }

  @discardableResult
  public mutating func set(_ name: String, _ value: String, in source: Span<UInt8>) -> Bool {
    set(name.utf8Span.span, value.utf8Span.span, in: source)
  }

  @discardableResult
  public mutating func set(_ name: String, _ value: Span<UInt8>, in source: Span<UInt8>) -> Bool {
    set(name.utf8Span.span, value, in: source)
  }

  /// Adds a field beside those of the same name; false, and nothing changed, when the value could not stand in one.
  @discardableResult
  public mutating func add(_ name: FieldName, _ value: Span<UInt8>) -> Bool {
    if !Self.isValue(value) { return false }
    append(name, ByteScan.bytes(of: name.text), value)
    return true
  }

  /// As above, for any name; false also when the name is no token.
  @discardableResult
  public mutating func add(_ name: Span<UInt8>, _ value: Span<UInt8>) -> Bool {
    if !Self.isToken(name) || !Self.isValue(value) { return false }
    append(FieldName.known(name), name, value)
    return true
  }

  /// As above, for a name that is written in Sluice's own text and is not among the known ones.
  @discardableResult
  public mutating func add(literal name: StaticString, _ value: Span<UInt8>) -> Bool {
    let name = ByteScan.bytes(of: name)
    assert(Self.isToken(name) && FieldName.known(name) == .other)
    if !Self.isValue(value) { return false }
    append(.other, name, value)
    return true
  }

  @discardableResult
  public mutating func add(_ name: String, _ value: String) -> Bool {
    add(name.utf8Span.span, value.utf8Span.span)
  }

  @discardableResult
  public mutating func add(_ name: String, _ value: Span<UInt8>) -> Bool {
    add(name.utf8Span.span, value)
  }

  /// Removes all fields of this known name.
  public mutating func remove(_ name: FieldName) {
    precondition(name != .other, "fields of unknown names are removed by their bytes")
    if !mayContain(name) { return }
    for index in fields.indices where fields[index].isNamed(name) { mark(index, .removed) }
    for index in added.indices where added[index].isNamed(name) { removeAdded(index) }
  }

  /// Removes all fields of this name, compared without case.
  public mutating func remove(named name: Span<UInt8>, in source: Span<UInt8>) {
    for index in fields.indices where ByteScan.equalIgnoringCase(fields[index].name(in: source), name) {
      mark(index, .removed)
    }
    for index in added.indices where ByteScan.equalIgnoringCase(added[index].name(in: addedBytes.span), name) {
      removeAdded(index)
    }
  }

  public mutating func remove(named name: String, in source: Span<UInt8>) {
    remove(named: name.utf8Span.span, in: source)
  }

  /// Takes away received lines that speak for a proxy: `X-Forwarded-…` and `X-Real-IP`.
  public mutating func removeReceivedForwarding(in source: Span<UInt8>) {
    for index in fields.indices {
      let name = fields[index].name(in: source)
      guard name.count > 8, name[0] | 0x20 == UInt8(ascii: "x"), name[1] == UInt8(ascii: "-") else { continue }
      let prefix = ByteScan.bytes(of: "x-forwarded-")
      let isOfProxy =
        name.count > prefix.count
        ? ByteScan.equalIgnoringCase(name.extracting(first: prefix.count), prefix)
        : ByteScan.equalIgnoringCase(name, ByteScan.bytes(of: "x-real-ip"))
      if isOfProxy { mark(index, .removed) }
    }
  }

  /// Marks a parsed line, which from then on is not forwarded.
  mutating func mark(_ index: Int, _ flag: Field.Flags) {
    let flags = fields[index].flags
    if flags == 0 { unforwarded += 1 }
    fields.setFlags(flags | flag.rawValue, at: index)
  }

  mutating func removeAdded(_ index: Int) {
    if added[index].isRemoved { return }
    added.setFlags(Field.Flags.removed.rawValue, at: index)
    addedRemoved += 1
  }

  private mutating func append(_ known: FieldName, _ name: Span<UInt8>, _ value: Span<UInt8>) {
    let start = addedBytes.count
    addedBytes.append(name)
    addedBytes.append(": ")
    let valueStart = addedBytes.count
    addedBytes.append(value)
    addedBytes.append("\r\n")
    added.append(
      Field(
        nameStart: UInt32(start), nameLength: UInt16(name.count), number: known.rawValue, flags: 0,
        valueStart: UInt32(valueStart), valueLength: UInt32(value.count)))
  }

  static func isToken(_ name: Span<UInt8>) -> Bool {
    !name.isEmpty && name.count <= HTTPLimits.fieldName && ByteScan.endOfToken(in: name, from: 0) == name.count
  }

  static func isValue(_ value: Span<UInt8>) -> Bool {
    ByteScan.endOfFieldValue(in: value, from: 0) == value.count
  }
}

extension HeaderBlock {
  /// Writes the lines to forward, each with its CRLF, without the empty line that ends a head.
  ///
  /// Left out are removed and hop-by-hop fields, and Content-Length when the body is framed anew. Lines lie side by
  /// side in the buffer, so a run of kept lines is one copy.
  public func write(
    from source: Span<UInt8>, into out: inout ByteBuffer, droppingContentLength: Bool = false
  ) {
    write(from: source, startingAt: start, into: &out, droppingContentLength: droppingContentLength)
  }

  /// As above, with the bytes from `start` to the first line as if they were one to keep: a start line.
  func write(
    from source: Span<UInt8>, startingAt start: Int, into out: inout ByteBuffer, droppingContentLength: Bool
  ) {
    if unforwarded == 0 && !(droppingContentLength && present.contains(.contentLength)) {
      out.append(source.extracting(start..<Int(end)))
    } else {
      writeKept(from: source, startingAt: start, into: &out, droppingContentLength: droppingContentLength)
    }
    if !added.isEmpty { writeAdded(into: &out, droppingContentLength: droppingContentLength) }
  }

  private func writeKept(
    from source: Span<UInt8>, startingAt start: Int, into out: inout ByteBuffer, droppingContentLength drops: Bool
  ) {
    var runStart = start
    for index in fields.indices {
      let field = fields[index]
      let kept = field.isForwarded && !(drops && field.isNamed(.contentLength))
      if kept {
        if runStart < 0 { runStart = Int(field.nameStart) }
      } else if runStart >= 0 {
        out.append(source.extracting(runStart..<Int(field.nameStart)))
        runStart = -1
      }
    }
    if runStart >= 0 { out.append(source.extracting(runStart..<Int(end))) }
  }

  /// Writes the lines that Sluice added.
  private func writeAdded(into out: inout ByteBuffer, droppingContentLength drops: Bool) {
    if addedRemoved == 0 && !(drops && FieldNames(bits: added.present).contains(.contentLength)) {
      return out.append(addedBytes.span)
    }
    for index in added.indices {
      let field = added[index]
      if field.isRemoved || (drops && field.isNamed(.contentLength)) { continue }
      out.append(addedBytes.span.extracting(Int(field.nameStart)..<Int(field.valueStart + field.valueLength) + 2))
    }
  }
}
