import CNghttp2
import Glibc

/// Memory for all sessions of one loop: blocks that a stream leaves are the next stream's.
///
/// The library takes some ten small blocks for each stream, and with a thousand streams open the allocator's caches for
/// a thread do not hold them. Here each size has a list of free blocks, so that taking and giving back one is a few
/// instructions. What the lists keep is bounded; blocks beyond it, and large ones, are the allocator's. For one thread.
///
/// SAFETY: this object owns the shelves and frees them when no session is left that could know them or a block.
@safe
public final class HTTP2Memory {
  private let shelves: UnsafeMutablePointer<Shelves>

  public init() {
    // SAFETY: this object owns the shelves; sessions hold the object while they hold blocks.
    unsafe shelves = .allocate(capacity: 1)
    unsafe shelves.initialize(to: Shelves())
  }

  // SAFETY: no session is left that could know the shelves or a block.
  deinit {
    unsafe shelves.pointee.empty()
    unsafe shelves.deallocate()
  }

  /// Octets that wait for later streams.
  public var kept: Int { unsafe shelves.pointee.kept }
  /// Octets in blocks that sessions hold, large ones aside.
  public var lent: Int { unsafe shelves.pointee.lent }

  /// Shows it in the form that the library copies.
  func withAllocator<R>(_ body: (UnsafeMutablePointer<nghttp2_mem>) -> R) -> R {
    // SAFETY: the functions below expect the shelves as their context.
    var allocator = unsafe nghttp2_mem(
      mem_user_data: shelves, malloc: takeBlock, free: giveBlockBack, calloc: takeClearBlock, realloc: resizeBlock)
    return unsafe withUnsafeMutablePointer(to: &allocator) { unsafe body($0) }
  }
}

/// Lists of free blocks by size. Before each block stands its kind; a free one begins with the address of the next.
///
/// SAFETY: a block is what `take` returned; `prefix` octets before it begins what the allocator gave, whose first word is
/// its kind. A block on a list is nobody's, and has room for an address.
@safe
private struct Shelves {
  /// Of blocks of 64 octets, 128, and so on, what stands before them included.
  private var free = unsafe InlineArray<17, UnsafeMutableRawPointer?>(repeating: nil)
  private(set) var kept = 0
  private(set) var lent = 0

  private static let step = 64
  /// What the allocator aligns blocks to.
  private static let prefix = 16
  /// More than this in free blocks goes back to the allocator.
  private static let mostKept = 4 << 20
  /// Stands before blocks that are too large for a list.
  private static let large = 0

  init() {}

  /// Octets of the block that is lent for so many; nil for one too large for a list.
  @inline(__always)
  private static func kind(_ count: Int) -> Int? {
    count <= 16 * step - prefix ? (count + prefix + step - 1) / step : nil
  }

  mutating func take(_ count: Int) -> UnsafeMutableRawPointer? {
    guard let kind = Self.kind(count) else {
      guard count < Int.max - Self.prefix, let start = unsafe malloc(count + Self.prefix) else { return nil }
      unsafe start.storeBytes(of: Self.large, as: Int.self)
      return unsafe start + Self.prefix
    }
    if let block = unsafe free[kind] {
      unsafe free[kind] = block.load(as: UnsafeMutableRawPointer?.self)
      kept -= kind * Self.step
      lent += kind * Self.step
      return unsafe block
    }
    guard let start = unsafe malloc(kind * Self.step) else { return nil }
    lent += kind * Self.step
    unsafe start.storeBytes(of: kind, as: Int.self)
    return unsafe start + Self.prefix
  }

  mutating func giveBack(_ block: UnsafeMutableRawPointer) {
    let start = unsafe block - Self.prefix
    let kind = unsafe start.load(as: Int.self)
    if kind == Self.large { return unsafe Glibc.free(start) }
    let size = kind * Self.step
    lent -= size
    if kept + size > Self.mostKept { return unsafe Glibc.free(start) }
    unsafe block.storeBytes(of: free[kind], as: UnsafeMutableRawPointer?.self)
    unsafe free[kind] = block
    kept += size
  }

  mutating func resize(_ block: UnsafeMutableRawPointer, to count: Int) -> UnsafeMutableRawPointer? {
    let start = unsafe block - Self.prefix
    let kind = unsafe start.load(as: Int.self)
    if kind == Self.large {
      guard count < Int.max - Self.prefix, let moved = unsafe realloc(start, count + Self.prefix) else { return nil }
      return unsafe moved + Self.prefix
    }
    let room = kind * Self.step - Self.prefix
    if count <= room { return unsafe block }
    guard let larger = unsafe take(count) else { return nil }
    unsafe larger.copyMemory(from: block, byteCount: room)
    unsafe giveBack(block)
    return unsafe larger
  }

  mutating func empty() {
    for kind in unsafe free.indices {
      while let block = unsafe free[kind] {
        unsafe free[kind] = block.load(as: UnsafeMutableRawPointer?.self)
        unsafe Glibc.free(block - Self.prefix)
      }
    }
    kept = 0
  }
}

/// SAFETY: of this and those below: the context is what `withAllocator` gave, and blocks are those that `take` returned.
private func shelves(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<Shelves> {
  unsafe context!.assumingMemoryBound(to: Shelves.self)
}

@c private func takeBlock(_ count: Int, _ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // SAFETY: as above.
  unsafe shelves(context).pointee.take(count)
}

@c private func giveBlockBack(_ block: UnsafeMutableRawPointer?, _ context: UnsafeMutableRawPointer?) {
  // SAFETY: as above; nil is no block.
  if let block = unsafe block { unsafe shelves(context).pointee.giveBack(block) }
}

@c private func takeClearBlock(
  _ number: Int, _ size: Int, _ context: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
  let (count, overflows) = number.multipliedReportingOverflow(by: size)
  // SAFETY: as above; the block has room for `count` octets.
  guard !overflows, let block = unsafe shelves(context).pointee.take(count) else { return nil }
  unsafe memset(block, 0, count)
  return unsafe block
}

@c private func resizeBlock(
  _ block: UnsafeMutableRawPointer?, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> UnsafeMutableRawPointer? {
  // SAFETY: as above.
  guard let block = unsafe block else { return unsafe shelves(context).pointee.take(count) }
  return unsafe shelves(context).pointee.resize(block, to: count)
}
