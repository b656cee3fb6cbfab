/// A growable array of plain values that has one owner and keeps its memory.
///
/// `Array` asks before every change whether somebody shares it, which costs more than the change where values are small and
/// many. This one cannot be shared, so appending is a comparison and a store.
@safe
public struct PlainArray<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<Element>
  @usableFromInline var room: Int
  @usableFromInline var filled = 0

  /// - Parameter capacity: elements to reserve at once; at least 16.
  public init(capacity: Int = 16) {
    room = max(16, capacity)
    // SAFETY: owned by this value alone and freed in deinit.
    unsafe base = .allocate(capacity: room)
  }

  // SAFETY: allocated in init or grow, never shared; plain values need no deinitialisation.
  deinit { unsafe base.deallocate() }

  @inlinable public var count: Int { filled }

  @inlinable public var isEmpty: Bool { filled == 0 }

  public var span: Span<Element> {
    @inlinable @_lifetime(borrow self) get {
      // SAFETY: `count` elements from `base` are initialised, and the span borrows self.
      let span = unsafe Span(_unsafeStart: base, count: filled)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  @inlinable
  public subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: filled))
      // SAFETY: within what is initialised.
      return unsafe base[index]
    }
    @inline(__always) _modify {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: filled))
      // SAFETY: within what is initialised.
      yield unsafe &base[index]
    }
  }

  @inlinable @inline(__always)
  public mutating func append(_ element: Element) {
    if filled == room { grow() }
    // SAFETY: filled < room.
    unsafe (base + filled).initialize(to: element)
    filled &+= 1
  }

  /// Forgets all elements; keeps the memory.
  @inlinable
  public mutating func removeAll() { filled = 0 }

  @inline(never) @usableFromInline
  mutating func grow() {
    // SAFETY: the new block is longer than what is moved into it; the old one is freed once copied.
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: room * 2)
    unsafe larger.update(from: base, count: filled)
    unsafe base.deallocate()
    unsafe base = larger
    room *= 2
  }
}

// SAFETY: the memory belongs to that one value and moves with it; spans cannot outlive a move.
extension PlainArray: @unchecked Sendable where Element: Sendable {}
