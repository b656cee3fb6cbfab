public import Kernel

/// One field line of a message: where its name and value lie in the buffer that it was parsed from.
public typealias Field = FieldLine

extension FieldLine {
  public struct Flags: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Taken away by an edit.
    public static let removed = Flags(rawValue: 1)
    /// About one connection only: readable, never forwarded.
    public static let hopByHop = Flags(rawValue: 2)
  }

  public var name: FieldName { FieldName(rawValue: number)! }

  /// Whether `name` is its name, without making one of the number.
  @inline(__always)
  public func isNamed(_ name: FieldName) -> Bool { number == name.rawValue }

  public var isRemoved: Bool { flags & Flags.removed.rawValue != 0 }

  /// Whether the line is written when the message is forwarded.
  public var isForwarded: Bool { flags == 0 }

  @inline(__always) @_lifetime(copy source)
  public func name(in source: Span<UInt8>) -> Span<UInt8> {
    source.extracting(Int(nameStart)..<Int(nameStart) &+ Int(nameLength))
  }

  @inline(__always) @_lifetime(copy source)
  public func value(in source: Span<UInt8>) -> Span<UInt8> {
    source.extracting(Int(valueStart)..<Int(valueStart) &+ Int(valueLength))
  }
}

/// The fields of one message: views into the buffer that it was received in, and edits on top.
///
/// The parsed lines stay where they are and are only marked when removed; lines that Sluice adds are written to a
/// small buffer of their own. Forwarding copies runs of kept lines and then the added ones: a head without edits is
/// one copy. Every method that takes `source` wants the buffer that the block was decoded from.
public struct HeaderBlock: ~Copyable {
  /// The parsed lines, in order and without gaps between them.
  package internal(set) var fields = FieldLines()
  /// The lines that Sluice added, as offsets into `addedBytes`.
  package internal(set) var added = FieldLines(capacity: 8)
  var addedBytes: ByteBuffer
  /// Where the last parsed line ends: the offset of the empty line.
  var end: UInt32 = 0
  /// How many parsed lines are marked as removed or hop-by-hop.
  var unforwarded = 0
  /// How many added lines are marked as removed.
  var addedRemoved = 0

  public init() {
    addedBytes = ByteBuffer(capacity: 256)
  }

  /// Where the first parsed line begins, or would.
  var start: Int { fields.isEmpty ? Int(end) : Int(fields[0].nameStart) }

  /// Names that occur among the parsed lines, removed ones included.
  var present: FieldNames { FieldNames(bits: fields.present) }
  /// Names that occur more than once among the parsed lines.
  var repeated: FieldNames { FieldNames(bits: fields.repeated) }
  /// Whether a field of this known name may occur: one may have been removed.
  @inline(__always)
  func mayContain(_ name: FieldName) -> Bool { FieldNames(bits: fields.present | added.present).contains(name) }

  /// Forgets all fields; keeps the memory.
  public mutating func reset() {
    fields.removeAll()
    end = 0
    unforwarded = 0
    if added.isEmpty { return }
    added.removeAll()
    addedBytes.removeAll()
    addedRemoved = 0
  }

  /// Whether a field of this known name occurs.
  public func contains(_ name: FieldName) -> Bool {
    if !mayContain(name) { return false }
    return added.first(name) != nil || fields.first(name) != nil
  }

  /// The value of the first field of this name: an added one if there is one, else a received one.
  @_lifetime(borrow self, copy source)
  public func value(of name: FieldName, in source: Span<UInt8>) -> Span<UInt8>? {
    if !mayContain(name) { return nil }
    if let field = added.first(name) { return field.value(in: addedBytes.span) }
    return fields.first(name)?.value(in: source)
  }

  /// The value of the first field of this name, compared without case: an added one if there is one, else a
  /// received one.
  @_lifetime(borrow self, copy source)
  public func value(named name: Span<UInt8>, in source: Span<UInt8>) -> Span<UInt8>? {
    if let field = added.first(name, in: addedBytes.span) { return field.value(in: addedBytes.span) }
    return fields.first(name, in: source)?.value(in: source)
  }

  @_lifetime(borrow self, copy source)
  public func value(named name: String, in source: Span<UInt8>) -> Span<UInt8>? {
    value(named: name.utf8Span.span, in: source)
  }

  /// Visits the values of all fields of this name: received ones, then added ones.
  public func forEachValue(of name: FieldName, in source: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    if !mayContain(name) { return }
    for index in fields.indices where fields[index].isNamed(name) && !fields[index].isRemoved {
      body(fields[index].value(in: source))
    }
    for index in added.indices where added[index].isNamed(name) && !added[index].isRemoved {
      body(added[index].value(in: addedBytes.span))
    }
  }

  /// Visits the values of all fields of this name, compared without case: received ones, then added ones.
  public func forEachValue(named name: Span<UInt8>, in source: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    forEach(in: source) { candidate, value in
      if ByteScan.equalIgnoringCase(candidate, name) { body(value) }
    }
  }

  /// Visits name and value of every received field that is forwarded: none about one connection only.
  public func forEachForwarded(in source: Span<UInt8>, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    for index in fields.indices where fields[index].isForwarded {
      body(fields[index].name(in: source), fields[index].value(in: source))
    }
  }

  /// Visits name and value of every field that is not removed: received ones, then added ones.
  public func forEach(in source: Span<UInt8>, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    for index in fields.indices where !fields[index].isRemoved {
      body(fields[index].name(in: source), fields[index].value(in: source))
    }
    for index in added.indices where !added[index].isRemoved {
      body(added[index].name(in: addedBytes.span), added[index].value(in: addedBytes.span))
    }
  }
}

extension FieldLines {
  /// The first line of this known name that is not removed.
  @inline(__always)
  func first(_ name: FieldName) -> Field? {
    for index in indices {
      let field = self[index]
      if field.isNamed(name) && !field.isRemoved { return field }
    }
    return nil
  }

  /// The first line of this name, compared without case, that is not removed.
  func first(_ name: Span<UInt8>, in source: Span<UInt8>) -> Field? {
    for index in indices {
      let field = self[index]
      if Int(field.nameLength) == name.count, !field.isRemoved,
        ByteScan.equalIgnoringCase(field.name(in: source), name)
      {
        return field
      }
    }
    return nil
  }
}
