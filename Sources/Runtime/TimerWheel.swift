/// Something that happens when its deadline has passed; the base of wakers and timers.
open class TimerEntry {
  /// Monotonic nanoseconds; `Int.max` means never.
  package fileprivate(set) var deadline = Int.max
  fileprivate var node: Int32 = -1

  public init() {}

  /// Called on the loop once `deadline` has passed; the entry is then out of the wheel.
  func expired() {}
}

/// Deadlines in 1,024 buckets of 8.4 ms.
///
/// Nearly every deadline is moved before it passes, and nearly always to a later time. So moving one later costs a
/// store: the entry stays in its bucket, and the wheel moves it when it gets there. Links are indices into arrays,
/// which keeps reference counting out of arming and cancelling.
struct TimerWheel {
  static let shift = 23
  static let buckets = 1024

  private struct Node {
    var entry: TimerEntry?
    var next: Int32 = -1
    var previous: Int32 = -1
    var bucket: Int32 = -1
    var tick = 0
  }

  private var nodes: [Node] = []
  private var free: Int32 = -1
  private var heads = [Int32](repeating: -1, count: buckets)
  private var occupied = [UInt64](repeating: 0, count: buckets / 64)
  /// The last tick whose bucket has been emptied.
  private var tick: Int

  init(now: Int) { tick = now >> Self.shift }

  /// Sets the entry's deadline; `Int.max` cancels it.
  mutating func arm(_ entry: TimerEntry, at deadline: Int) {
    entry.deadline = deadline
    guard deadline < Int.max else { return cancel(entry) }
    let due = max(deadline >> Self.shift, tick) + 1
    if entry.node >= 0 {
      if nodes[Int(entry.node)].tick <= due { return }
      unlink(entry.node)
      link(entry.node, tick: due)
    } else {
      link(take(for: entry), tick: due)
    }
  }

  mutating func cancel(_ entry: TimerEntry) {
    entry.deadline = .max
    guard entry.node >= 0 else { return }
    unlink(entry.node)
    release(entry.node)
  }

  /// Appends to `due` every entry whose deadline has passed, and takes it out.
  mutating func advance(to now: Int, into due: inout [TimerEntry]) {
    let current = now >> Self.shift
    guard current > tick else { return }
    let first = max(tick + 1, current - Self.buckets + 1)
    tick = current
    for tick in first...current {
      let bucket = tick & (Self.buckets - 1)
      if occupied[bucket >> 6] >> UInt64(bucket & 63) & 1 == 0 { continue }
      var index = heads[bucket]
      while index >= 0 {
        let following = nodes[Int(index)].next
        if let entry = nodes[Int(index)].entry { visit(index, entry, now: now, into: &due) }
        index = following
      }
    }
  }

  /// When the next bucket that holds anything is due; nil when the wheel is empty.
  func nextDue() -> Int? {
    let start = tick + 1
    var offset = 0
    while offset < Self.buckets {
      let bucket = (start + offset) & (Self.buckets - 1)
      let word = occupied[bucket >> 6] >> UInt64(bucket & 63)
      if word != 0 { return (start + offset + word.trailingZeroBitCount) << Self.shift }
      offset += 64 - (bucket & 63)
    }
    return nil
  }

  private mutating func visit(_ index: Int32, _ entry: TimerEntry, now: Int, into due: inout [TimerEntry]) {
    unlink(index)
    if entry.deadline <= now {
      release(index)
      entry.deadline = .max
      due.append(entry)
    } else {
      link(index, tick: (entry.deadline >> Self.shift) + 1)
    }
  }

  private mutating func take(for entry: TimerEntry) -> Int32 {
    let index: Int32
    if free >= 0 {
      index = free
      free = nodes[Int(index)].next
      nodes[Int(index)].entry = entry
    } else {
      index = Int32(nodes.count)
      nodes.append(Node(entry: entry))
    }
    entry.node = index
    return index
  }

  private mutating func release(_ index: Int32) {
    nodes[Int(index)].entry?.node = -1
    nodes[Int(index)].entry = nil
    nodes[Int(index)].next = free
    free = index
  }

  private mutating func link(_ index: Int32, tick due: Int) {
    let bucket = due & (Self.buckets - 1)
    let head = heads[bucket]
    nodes[Int(index)].bucket = Int32(bucket)
    nodes[Int(index)].tick = due
    nodes[Int(index)].next = head
    nodes[Int(index)].previous = -1
    if head >= 0 { nodes[Int(head)].previous = index }
    heads[bucket] = index
    occupied[bucket >> 6] |= 1 << UInt64(bucket & 63)
  }

  private mutating func unlink(_ index: Int32) {
    let node = nodes[Int(index)]
    if node.previous >= 0 { nodes[Int(node.previous)].next = node.next } else { heads[Int(node.bucket)] = node.next }
    if node.next >= 0 { nodes[Int(node.next)].previous = node.previous }
    if heads[Int(node.bucket)] < 0 { occupied[Int(node.bucket) >> 6] &= ~(1 << UInt64(node.bucket & 63)) }
  }
}
