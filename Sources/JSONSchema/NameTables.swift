import Kernel

/// A set of names in `NameTables`; each has a number.
struct NameTable: BitwiseCopyable, Sendable {
  var start: UInt32 = 0
  /// Slots, a power of two, less one.
  var mask: UInt32 = 0
}

/// Hash tables of names, one behind the other, with open addressing.
///
/// A name is told by its length and both ends, so up to sixteen bytes it costs two comparisons of words. The hash has no seed:
/// names come from schemas, and a document that collides on purpose walks a few slots to a free one.
struct NameTables: Sendable {
  private(set) var slots: [NameSlot] = [NameSlot()]
  private(set) var texts: [UInt8] = []

  /// Adds a table; of names that stand twice the first one counts.
  mutating func add(_ names: [[UInt8]]) -> NameTable {
    var size = 2
    while size < names.count * 2 { size *= 2 }
    let table = NameTable(start: UInt32(slots.count), mask: UInt32(size - 1))
    slots += Array(repeating: NameSlot(), count: size)
    for (number, name) in names.enumerated() where find(name.span, in: table) == nil {
      let key = NameKey(0..<name.count, of: name.span)
      var index = key.slot(in: table)
      while !slots[index].isFree { index = table.next(index) }
      slots[index] = NameSlot(
        first: key.first, last: key.last, length: UInt32(name.count), number: UInt32(number), text: UInt32(texts.count))
      texts += name
    }
    return table
  }

  /// Adds a text that is in no table.
  mutating func add(text: [UInt8]) -> Indexes {
    let start = texts.count
    texts += text
    return Indexes(start..<texts.count)
  }

  private func find(_ name: Span<UInt8>, in table: NameTable) -> UInt32? {
    slots.span.find(0..<name.count, of: name, in: table, texts.span)
  }

  /// The name of this number.
  func text(_ number: Int, in table: NameTable) -> [UInt8] {
    let range = Int(table.start)...Int(table.start + table.mask)
    guard let slot = slots[range].first(where: { $0.number == UInt32(number) }) else { return [] }
    return Array(texts[Int(slot.text)..<Int(slot.text + slot.length)])
  }
}

struct NameSlot: BitwiseCopyable, Sendable {
  var first: UInt64 = 0
  var last: UInt64 = 0
  var length: UInt32 = 0
  var number = UInt32.max
  /// Where the name stands among the texts.
  var text: UInt32 = 0

  @inline(__always)
  var isFree: Bool { number == .max }
}

extension NameTable {
  /// The slot behind one, which is the first behind the last.
  @inline(__always)
  func next(_ index: Int) -> Int { Int(start &+ ((UInt32(truncatingIfNeeded: index) &- start &+ 1) & mask)) }
}

/// The length and the ends of a name.
struct NameKey {
  let first: UInt64
  let last: UInt64
  let length: Int

  @inline(__always)
  init(_ range: Range<Int>, of bytes: Span<UInt8>) {
    length = range.count
    let word = ByteScan.word(in: bytes, at: range.lowerBound)
    if length >= 8 {
      first = word
      last = ByteScan.word(in: bytes, at: range.upperBound &- 8)
    } else {
      first = word & ((1 &<< UInt64(length &* 8)) &- 1)
      last = 0
    }
  }

  @inline(__always)
  func slot(in table: NameTable) -> Int {
    let mixed = (first ^ (last &* 0x9E37_79B9_7F4A_7C15)) &+ UInt64(length)
    return Int(table.start &+ (UInt32(truncatingIfNeeded: (mixed &* 0xE703_7ED1_A0B4_28DB) &>> 40) & table.mask))
  }
}

extension Span<NameSlot> {
  /// The number of the name that stands in a range of bytes.
  @inline(__always)
  func find(_ range: Range<Int>, of bytes: Span<UInt8>, in table: NameTable, _ texts: Span<UInt8>) -> UInt32? {
    let key = NameKey(range, of: bytes)
    var index = key.slot(in: table)
    while true {
      let slot = self[index]
      if slot.isFree { return nil }
      if slot.first == key.first, slot.last == key.last, slot.length == key.length {
        // The ends are all of a name up to sixteen bytes.
        if key.length <= 16 { return slot.number }
        let text = Int(slot.text)..<Int(slot.text) &+ key.length
        if ByteScan.equal(texts.extracting(text), bytes.extracting(range)) { return slot.number }
      }
      index = table.next(index)
    }
  }
}
