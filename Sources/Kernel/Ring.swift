/// A bounded queue, first in first out, of values that may own memory.
///
/// The standard library's collections hold copyable values only; buffers on their way between threads are not.
@safe
public struct Ring<Element: ~Copyable>: ~Copyable {
  private var slots: UnsafeMutablePointer<Element>
  private var head = 0
  package private(set) var capacity: Int
  package private(set) var count = 0

  public init(capacity: Int) {
    self.capacity = max(1, capacity)
    // SAFETY: owned by this value alone and freed in deinit.
    unsafe slots = .allocate(capacity: self.capacity)
  }

  // SAFETY: exactly the `count` slots from `head` on are initialised.
  deinit {
    for index in 0..<count { unsafe (slots + (head + index) % capacity).deinitialize(count: 1) }
    unsafe slots.deallocate()
  }

  public var isEmpty: Bool { count == 0 }
  public var isFull: Bool { count == capacity }

  /// Puts `element` last; the ring must not be full.
  public mutating func push(_ element: consuming Element) {
    precondition(!isFull, "a ring takes no more than its capacity")
    // SAFETY: the slot behind the last one is not initialised while the ring is not full.
    unsafe (slots + (head + count) % capacity).initialize(to: element)
    count += 1
  }

  /// Takes the first element out.
  public mutating func pop() -> Element? {
    if isEmpty { return nil }
    // SAFETY: the slot at `head` is initialised while the ring is not empty, and given up here.
    let element = unsafe (slots + head).move()
    head = (head + 1) % capacity
    count -= 1
    return element
  }

  /// Takes the last element back.
  public mutating func popLast() -> Element? {
    if isEmpty { return nil }
    count -= 1
    // SAFETY: the slot of the last element is initialised, and given up here.
    return unsafe (slots + (head + count) % capacity).move()
  }

  /// Makes room for `extra` more elements than before.
  public mutating func grow(by extra: Int) {
    var larger = Ring(capacity: capacity + extra)
    while let element = pop() { larger.push(element) }
    swap(&self, &larger)
  }
}

// SAFETY: the slots belong to this value alone and move with it.
extension Ring: @unchecked Sendable where Element: Sendable & ~Copyable {}
