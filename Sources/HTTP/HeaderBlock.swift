import Kernel

/// One field line of a message: where its name and value lie in the buffer that it was parsed from.
public struct Field: Sendable, BitwiseCopyable {
  public struct Flags: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }
    /// Taken away by an edit.
    public static let removed = Flags(rawValue: 1)
    /// About one connection only: readable, never forwarded.
    public static let hopByHop = Flags(rawValue: 2)
  }

  public var nameStart: UInt32
  public var nameLength: UInt16
  public var name: FieldName
  public var flags: Flags
  public var valueStart: UInt32
  /// Without the white space around it.
  public var valueLength: UInt32

  public var isRemoved: Bool { flags.contains(.removed) }

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
  package internal(set) var fields: [Field] = []
  /// The lines that Sluice added, as offsets into `addedBytes`.
  package internal(set) var added: [Field] = []
  var addedBytes: ByteBuffer
  /// Where the last parsed line ends: the offset of the empty line.
  var end: UInt32 = 0
  /// Names that occur, or once did.
  var present = FieldNames()
  /// Names that occur more than once among the parsed lines.
  var repeated = FieldNames()
  /// How many parsed lines are marked as removed or hop-by-hop.
  var unforwarded = 0
  /// How many added lines are marked as removed.
  var addedRemoved = 0

  public init() {
    addedBytes = ByteBuffer(capacity: 256)
  }

  /// Forgets all fields; keeps the memory.
  public mutating func reset() {
    fields.removeAll(keepingCapacity: true)
    end = 0
    present = FieldNames()
    repeated = FieldNames()
    unforwarded = 0
    if added.isEmpty { return }
    added.removeAll(keepingCapacity: true)
    addedBytes.removeAll()
    addedRemoved = 0
  }

  /// Whether a field of this known name occurs.
  public func contains(_ name: FieldName) -> Bool {
    if !present.contains(name) { return false }
    for field in added where field.name == name && !field.isRemoved { return true }
    for field in fields where field.name == name && !field.isRemoved { return true }
    return false
  }

  /// The value of the first field of this name: an added one if there is one, else a received one.
  @_lifetime(borrow self, copy source)
  public func value(of name: FieldName, in source: Span<UInt8>) -> Span<UInt8>? {
    if !present.contains(name) { return nil }
    for field in added where field.name == name && !field.isRemoved { return field.value(in: addedBytes.span) }
    for field in fields where field.name == name && !field.isRemoved { return field.value(in: source) }
    return nil
  }

  /// The value of the first field of this name, compared without case: an added one if there is one, else a
  /// received one.
  @_lifetime(borrow self, copy source)
  public func value(named name: Span<UInt8>, in source: Span<UInt8>) -> Span<UInt8>? {
    for field in added where !field.isRemoved {
      if ByteScan.equalIgnoringCase(field.name(in: addedBytes.span), name) { return field.value(in: addedBytes.span) }
    }
    for field in fields where !field.isRemoved {
      if ByteScan.equalIgnoringCase(field.name(in: source), name) { return field.value(in: source) }
    }
    return nil
  }

  @_lifetime(borrow self, copy source)
  public func value(named name: String, in source: Span<UInt8>) -> Span<UInt8>? {
    value(named: name.utf8Span.span, in: source)
  }

  /// Visits the values of all fields of this name: received ones, then added ones.
  public func forEachValue(of name: FieldName, in source: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    if !present.contains(name) { return }
    for field in fields where field.name == name && !field.isRemoved { body(field.value(in: source)) }
    for field in added where field.name == name && !field.isRemoved { body(field.value(in: addedBytes.span)) }
  }

  /// Visits the values of all fields of this name, compared without case: received ones, then added ones.
  public func forEachValue(named name: Span<UInt8>, in source: Span<UInt8>, _ body: (Span<UInt8>) -> Void) {
    forEach(in: source) { candidate, value in
      if ByteScan.equalIgnoringCase(candidate, name) { body(value) }
    }
  }

  /// Visits name and value of every field that is not removed: received ones, then added ones.
  public func forEach(in source: Span<UInt8>, _ body: (_ name: Span<UInt8>, _ value: Span<UInt8>) -> Void) {
    for field in fields where !field.isRemoved { body(field.name(in: source), field.value(in: source)) }
    for field in added where !field.isRemoved {
      body(field.name(in: addedBytes.span), field.value(in: addedBytes.span))
    }
  }
}
