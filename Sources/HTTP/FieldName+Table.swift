import Kernel

extension FieldName {
  /// The name that these bytes spell, in any case, or `other`.
  ///
  /// The bytes must be letters, digits and `-`, as the decoder has checked before: letters are folded by setting a
  /// bit, which is exact for these only.
  @inline(__always)
  public static func known(_ name: Span<UInt8>) -> FieldName {
    if name.count < 2 || name.count > FieldNameTable.longest { return .other }
    let (first, last) = ByteScan.ends(of: name)
    return FieldNameTable.shared.find(name, first | FieldNameTable.lower, last | FieldNameTable.lower)
  }
}

/// A hash table from the ends of a name to its number, built once, with open addressing.
///
/// First and last eight bytes and the length are all of a name up to 16 bytes; longer ones are compared whole.
struct FieldNameTable: Sendable {
  private struct Slot {
    var first: UInt64 = 0
    var last: UInt64 = 0
    var length = 0
    var name = FieldName.other
  }

  static let shared = FieldNameTable()
  static let longest = 32
  /// Folds eight letters to lower case; digits and `-` have the bit already.
  static let lower: UInt64 = 0x2020_2020_2020_2020
  private static let size = 256

  private var slots: InlineArray<256, Slot>

  private init() {
    slots = InlineArray(repeating: Slot())
    for name in FieldName.allCases where name != .other {
      let bytes = ByteScan.bytes(of: name.text)
      precondition(bytes.count <= Self.longest)
      let (first, last) = ByteScan.ends(of: bytes)
      let slot = Slot(first: first | Self.lower, last: last | Self.lower, length: bytes.count, name: name)
      var index = Self.index(slot.first, slot.last, slot.length)
      while slots[index].length != 0 { index = (index + 1) & (Self.size - 1) }
      slots[index] = slot
    }
  }

  @inline(__always)
  private static func index(_ first: UInt64, _ last: UInt64, _ length: Int) -> Int {
    let mixed = (first ^ (last &* 0x9e37_79b9_7f4a_7c15) &+ UInt64(truncatingIfNeeded: length)) &* 0xe703_7ed1_a0b4_28db
    return Int(truncatingIfNeeded: mixed &>> 56)
  }

  @inline(__always)
  func find(_ name: Span<UInt8>, _ first: UInt64, _ last: UInt64) -> FieldName {
    var index = Self.index(first, last, name.count)
    while true {
      let length = slots[index].length
      if length == 0 { return .other }
      if length == name.count, slots[index].first == first, slots[index].last == last {
        let found = slots[index].name
        if length <= 16 || ByteScan.equalIgnoringCase(name, ByteScan.bytes(of: found.text)) { return found }
      }
      index = (index &+ 1) & (Self.size &- 1)
    }
  }
}
