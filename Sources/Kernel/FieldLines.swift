import CLinux

/// One field line of a message: where its name and value lie, as offsets into the bytes that it was parsed from.
public struct FieldLine: Sendable, BitwiseCopyable {
  public var nameStart: UInt32
  public var nameLength: UInt16
  /// The name's number in a `NameTable`, or 0.
  public var number: UInt8
  /// For the owner's use.
  public var flags: UInt8
  public var valueStart: UInt32
  /// Without the white space around the value.
  public var valueLength: UInt32

  @inline(__always)
  public init(
    nameStart: UInt32, nameLength: UInt16, number: UInt8, flags: UInt8, valueStart: UInt32, valueLength: UInt32
  ) {
    self.nameStart = nameStart
    self.nameLength = nameLength
    self.number = number
    self.flags = flags
    self.valueStart = valueStart
    self.valueLength = valueLength
  }
}

/// Names and their numbers, found by a hash of the bytes in any case. Built once and kept for the process's life.
// SAFETY: nothing writes to the table after init, and it is never freed.
@safe
public struct NameTable: @unchecked Sendable {
  fileprivate let table: UnsafeMutablePointer<cl_names>

  /// - Parameter names: names of letters, digits and `-`, at most 63 of at most 48 bytes; the n-th has number n + 1.
  public init(_ names: [StaticString]) {
    precondition(names.count < 64)
    unsafe table = .allocate(capacity: 1)
    unsafe table.initialize(to: cl_names())
    for (index, name) in names.enumerated() {
      precondition(name.utf8CodeUnitCount > 0 && name.utf8CodeUnitCount <= CL_NAME_MAX)
      // SAFETY: a literal's bytes, and no more names than the table has slots.
      unsafe cl_names_add(table, name.utf8Start, name.utf8CodeUnitCount, UInt8(index + 1))
    }
  }

  /// The number of a name, or 0. Its bytes must be letters, digits and `-`.
  public func number(of name: Span<UInt8>) -> UInt8 {
    // SAFETY: the span is live.
    unsafe name.withUnsafeBufferPointer { p in unsafe cl_names_find(table, p.baseAddress, p.count) }
  }
}

/// A growable list of field lines that owns its memory, with the scan that fills it.
///
/// It is not an array because every line of every message is appended to it and read from it: there is no reference
/// count to check, and the scan writes whole heads in one call.
@safe
public struct FieldLines: ~Copyable {
  private var base: UnsafeMutablePointer<cl_field>
  private var capacity: Int
  public private(set) var count = 0
  /// Numbers that occur, a bit each.
  public private(set) var present: UInt64 = 0
  /// Numbers that occur more than once, a bit each.
  public private(set) var repeated: UInt64 = 0

  /// - Parameter capacity: lines to reserve at once.
  public init(capacity: Int = 24) {
    self.capacity = max(1, capacity)
    // SAFETY: owned by this value alone and freed in deinit; `count` lines are initialised.
    unsafe base = .allocate(capacity: self.capacity)
  }

  // SAFETY: allocated in init or grow, never shared.
  deinit { unsafe base.deallocate() }

  @inline(__always)
  public var isEmpty: Bool { count == 0 }

  @inline(__always)
  public var indices: Range<Int> { 0..<count }

  @inline(__always)
  public subscript(index: Int) -> FieldLine {
    precondition(index >= 0 && index < count)
    // SAFETY: `count` lines are initialised.
    let field = unsafe base[index]
    return FieldLine(
      nameStart: field.name_start, nameLength: field.name_length, number: field.number, flags: field.flags,
      valueStart: field.value_start, valueLength: field.value_length)
  }

  @inline(__always)
  public mutating func setFlags(_ flags: UInt8, at index: Int) {
    precondition(index >= 0 && index < count)
    // SAFETY: as above.
    unsafe base[index].flags = flags
  }

  /// Forgets the lines; keeps the memory.
  @inline(__always)
  public mutating func removeAll() {
    count = 0
    present = 0
    repeated = 0
  }

  public mutating func append(_ line: FieldLine) {
    if count == capacity { grow() }
    // SAFETY: count < capacity.
    unsafe base[count] = cl_field(
      name_start: line.nameStart, name_length: line.nameLength, number: line.number, flags: line.flags,
      value_start: line.valueStart, value_length: line.valueLength)
    count += 1
    let bit = UInt64(line.number == 0 ? 0 : 1) << UInt64(line.number & 63)
    repeated |= present & bit
    present |= bit
  }

  @inline(never)
  private mutating func grow() {
    let larger = capacity * 2
    // SAFETY: the new block is longer; the old one is freed once copied.
    let block = UnsafeMutablePointer<cl_field>.allocate(capacity: larger)
    unsafe block.initialize(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = block
    capacity = larger
  }

  /// Appends the whole field lines with plain names that stand at `start`, and returns where the first other line
  /// begins: the empty one, an incomplete, an odd or a wrong one.
  ///
  /// - Parameters:
  ///   - limit: how many lines the list may hold.
  ///   - flagged: numbers, a bit each, whose lines get `flag`; `flaggedCount` is increased for each.
  public mutating func scan(
    _ bytes: Span<UInt8>, from start: Int, names: NameTable, limit: Int, flagged: UInt64, flag: UInt8,
    flaggedCount: inout Int
  ) -> Int {
    var position = start
    while true {
      // SAFETY: the C function reads [position, count) of a live span and writes at most `capacity` lines.
      var out = unsafe cl_fields(
        fields: base, count: count, capacity: min(capacity, limit), present: present, repeated: repeated,
        flagged: flagged, flagged_count: 0, flag: flag)
      position = unsafe bytes.withUnsafeBufferPointer { p in
        unsafe cl_field_lines(p.baseAddress, position, p.count, names.table, &out)
      }
      unsafe count = out.count
      unsafe present = out.present
      unsafe repeated = out.repeated
      unsafe flaggedCount += out.flagged_count
      if count < capacity || count >= limit { return position }
      grow()
    }
  }
}
