/// Remembers the series of three small numbers, such as route, method and status: what a worker asks per request.
///
/// Open addressing over plain numbers, nothing is allocated on a hit. It has a bound: when it is full it forgets
/// everything and learns anew, so 100,000 routes cost time now and then, not memory.
public struct SeriesCache {
  private struct Slot {
    var key: UInt64
    var index: SeriesIndex
  }

  private static let free = UInt64.max

  private var slots: [Slot]
  private var count = 0
  private let maximum: Int

  /// - Parameter maximum: slots; rounded up to a power of two. Three quarters of them are used.
  public init(maximum: Int = 8_192) {
    self.maximum = max(16, 1 << (Int.bitWidth - (max(1, maximum) - 1).leadingZeroBitCount))
    slots = SeriesCache.emptySlots(16)
  }

  /// - Parameters:
  ///   - first: below 2³² - 1, such as a route's number.
  ///   - second: such as a method's number.
  ///   - third: such as a status.
  ///   - make: asked on a miss.
  public mutating func index(
    _ first: Int, _ second: UInt8, _ third: UInt16, orMake make: () -> SeriesIndex
  ) -> SeriesIndex {
    let key = UInt64(UInt32(first)) << 32 | UInt64(second) << 16 | UInt64(third)
    var position = SeriesCache.position(of: key, in: slots.count)
    while slots[position].key != key {
      if slots[position].key == SeriesCache.free { return insert(key, make()) }
      position = (position + 1) & (slots.count - 1)
    }
    return slots[position].index
  }

  /// Forgets everything, as after a reload that numbers routes anew.
  public mutating func removeAll() {
    slots = SeriesCache.emptySlots(16)
    count = 0
  }

  private mutating func insert(_ key: UInt64, _ index: SeriesIndex) -> SeriesIndex {
    if (count + 1) * 4 > slots.count * 3 {
      if slots.count == maximum { removeAll() } else { grow() }
    }
    place(Slot(key: key, index: index))
    count += 1
    return index
  }

  private mutating func grow() {
    let old = slots
    slots = SeriesCache.emptySlots(slots.count * 2)
    for slot in old where slot.key != SeriesCache.free { place(slot) }
  }

  private mutating func place(_ slot: Slot) {
    var position = SeriesCache.position(of: slot.key, in: slots.count)
    while slots[position].key != SeriesCache.free { position = (position + 1) & (slots.count - 1) }
    slots[position] = slot
  }

  /// Multiplies by the golden ratio and takes the high bits: neighbours spread.
  private static func position(of key: UInt64, in size: Int) -> Int {
    Int((key &* 0x9E37_79B9_7F4A_7C15) >> 32) & (size - 1)
  }

  private static func emptySlots(_ count: Int) -> [Slot] {
    Array(repeating: Slot(key: free, index: SeriesIndex(offset: 0, bounds: nil)), count: count)
  }
}
