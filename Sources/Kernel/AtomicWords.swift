import Glibc
public import Synchronization

/// Many 64-bit words that threads read and change without locks, all zero at first.
///
/// The kernel gives memory only for pages that are written, so a table that is large for its worst day costs little on
/// the others.
// SAFETY: the mapping is this object's own from init to deinit, and every access to it is an atomic one.
@safe
public final class AtomicWords: @unchecked Sendable {
  public let count: Int
  @usableFromInline let base: UnsafeMutablePointer<Atomic<UInt64>>

  /// - Parameter count: at least 1.
  public init(count: Int) throws(Errno) {
    precondition(count > 0)
    self.count = count
    let length = count * MemoryLayout<Atomic<UInt64>>.stride
    // SAFETY: a new private mapping, zeroed by the kernel; zero bytes are an atomic word that holds 0.
    let memory = unsafe mmap(
      nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else { throw Errno.last }
    // Huge pages would take two megabytes for the first word of each.
    unsafe _ = madvise(memory, length, MADV_NOHUGEPAGE)
    unsafe base = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
  }

  // SAFETY: mapped in init with this length; nobody has a reference any more.
  deinit { unsafe _ = munmap(base, count * MemoryLayout<Atomic<UInt64>>.stride) }

  /// Bytes of address space; those in use are fewer until every page was written once.
  public var size: Int { count * MemoryLayout<UInt64>.stride }

  @inlinable @inline(__always)
  public func load(_ index: Int) -> UInt64 {
    precondition(index >= 0 && index < count)
    // SAFETY: the index is within the mapping.
    return unsafe base[index].load(ordering: .acquiring)
  }

  /// Puts `desired` where `expected` is; false, with nothing changed, when something else is there by now.
  @inlinable @inline(__always)
  public func exchange(_ index: Int, _ expected: UInt64, for desired: UInt64) -> Bool {
    precondition(index >= 0 && index < count)
    // SAFETY: the index is within the mapping.
    return unsafe base[index].compareExchange(
      expected: expected, desired: desired, ordering: .sequentiallyConsistent
    ).exchanged
  }

  /// Puts `value` there and returns what was.
  @inlinable @inline(__always)
  public func swap(_ index: Int, for value: UInt64) -> UInt64 {
    precondition(index >= 0 && index < count)
    // SAFETY: the index is within the mapping.
    return unsafe base[index].exchange(value, ordering: .sequentiallyConsistent)
  }
}
