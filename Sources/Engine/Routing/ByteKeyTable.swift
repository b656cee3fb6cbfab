import Kernel

/// A hash table from a parent number and a run of bytes to a number, for look-ups by bytes of a request.
///
/// Open addressing at a load of a quarter at most, so that a look-up costs the same in a table of ten and of a
/// million. The hash is seeded, so a client that chooses the bytes cannot choose the collisions; keys are compared on
/// every hit.
struct ByteKeyTable: Sendable {
  fileprivate struct Slot {
    var tag: UInt32 = 0
    var parent: UInt32 = 0
    var offset: UInt32 = 0
    var count: UInt32 = 0
    /// One more than the value; 0 marks a free slot.
    var occupied: UInt32 = 0
  }

  private var slots: [Slot]
  private var bytes: [UInt8] = []
  private(set) var count = 0
  private let seed: UInt64

  /// - Parameter capacity: how many keys to expect.
  init(seed: UInt64, capacity: Int) {
    self.seed = seed
    var size = 16
    while size < capacity * 4 { size *= 2 }
    slots = Array(repeating: Slot(), count: size)
  }

  /// What look-ups need, borrowed.
  var view: View {
    @_lifetime(borrow self) get { View(slots: slots.span, bytes: bytes.span, seed: seed) }
  }

  /// The value that the key has already, or `value`, which it has from now on.
  mutating func insert(_ value: UInt32, parent: UInt32, key: Span<UInt8>) -> UInt32 {
    if let existing = view.value(parent: parent, key: key) { return existing }
    if (count + 1) * 4 > slots.count { grow() }
    let slot = Slot(
      parent: parent, offset: UInt32(bytes.count), count: UInt32(key.count), occupied: value + 1)
    for index in key.indices { bytes.append(key[index]) }
    place(slot, hash: Self.hash(parent, key, seed))
    count += 1
    return value
  }

  @inline(__always)
  fileprivate static func hash(_ parent: UInt32, _ key: Span<UInt8>, _ seed: UInt64) -> UInt64 {
    ByteScan.hash(key, seed: seed ^ (UInt64(parent) &* 0x9E37_79B9_7F4A_7C15))
  }

  private func hash(of slot: Slot) -> UInt64 {
    Self.hash(slot.parent, bytes.span.extracting(Int(slot.offset)..<Int(slot.offset + slot.count)), seed)
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(), count: old.count * 2)
    for slot in old where slot.occupied != 0 {
      let hash = hash(of: slot)
      place(slot, hash: hash)
    }
  }

  private mutating func place(_ slot: Slot, hash: UInt64) {
    var slot = slot
    slot.tag = UInt32(truncatingIfNeeded: hash >> 32)
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index].occupied != 0 { index = (index + 1) & mask }
    slots[index] = slot
  }
}

extension ByteKeyTable {
  /// A table as it is read: spans of its memory, so that a look-up touches no reference count.
  struct View: ~Escapable {
    private let slots: Span<Slot>
    private let bytes: Span<UInt8>
    private let seed: UInt64

    @_lifetime(copy slots, copy bytes)
    fileprivate init(slots: Span<Slot>, bytes: Span<UInt8>, seed: UInt64) {
      self.slots = slots
      self.bytes = bytes
      self.seed = seed
    }

    /// The value of a key, or nil.
    @inline(__always)
    func value(parent: UInt32, key: Span<UInt8>) -> UInt32? {
      let hash = ByteKeyTable.hash(parent, key, seed)
      let mask = slots.count &- 1
      var index = Int(truncatingIfNeeded: hash) & mask
      while slots[index].occupied != 0 {
        let slot = slots[index]
        if slot.tag == UInt32(truncatingIfNeeded: hash >> 32), slot.parent == parent, Int(slot.count) == key.count,
          ByteScan.equal(bytes.extracting(Int(slot.offset)..<Int(slot.offset &+ slot.count)), key)
        {
          return slot.occupied &- 1
        }
        index = (index &+ 1) & mask
      }
      return nil
    }
  }
}
