import CLinux
import Glibc

/// A fixed block of memory that a socket is read into and written from, leased from a `BufferPool`.
///
/// Layout: `start..<end` is what has been read and not consumed; the bytes before `start` and behind `end` are room.
/// An empty value holds no memory, so that an idle connection costs none. A margin on both sides lets chunk framing
/// be written around the data in place.
///
/// SAFETY: `base` is a block of the pool with `capacity` bytes between two margins, or nil; it is this value's alone until
/// it is returned.
@safe
public struct IOBuffer: ~Copyable {
  /// Room kept before and behind the block for framing: a chunk header of 16 hexadecimal digits, CRLF, the last chunk.
  public static let margin = 32

  private var base: UnsafeMutablePointer<UInt8>?
  /// Bytes between the margins; 0 while empty.
  package private(set) var capacity = 0
  package private(set) var start = 0
  package private(set) var end = 0

  public init() { unsafe base = nil }

  // SAFETY: the block came from malloc in the pool and is owned by this value alone.
  deinit { unsafe free(base) }

  public var count: Int { end - start }
  public var isEmpty: Bool { start == end }
  public var isLeased: Bool { capacity > 0 }
  public var room: Int { capacity - end }

  /// Takes a block from the pool unless one is held already.
  public mutating func lease(from pool: BufferPool) {
    if capacity > 0 { return }
    unsafe base = pool.take()
    capacity = pool.blockSize
    start = 0
    end = 0
  }

  /// Gives the block back; whatever it held is gone. A block of another size than the pool's goes to the system.
  public mutating func `return`(to pool: BufferPool) {
    guard capacity > 0 else { return }
    if capacity == pool.blockSize { unsafe pool.put(base!) } else { unsafe free(base) }
    unsafe base = nil
    capacity = 0
    start = 0
    end = 0
  }

  /// Keeps what it holds, consumed bytes too, in a block of just that size: for a head that stays while nothing
  /// passes for hours.
  public mutating func shrink(returningTo pool: BufferPool) {
    guard capacity == pool.blockSize, end < capacity else { return }
    let (first, last) = (start, end)
    // SAFETY: freed in `return` or `deinit`; it has `last` bytes between two margins.
    let block = unsafe malloc(last + 2 * Self.margin)!.assumingMemoryBound(to: UInt8.self)
    // SAFETY: both blocks have `last` bytes behind their first margin.
    unsafe memcpy(block + Self.margin, base! + Self.margin, last)
    `return`(to: pool)
    guard last > 0 else { return unsafe free(block) }
    unsafe base = block
    (capacity, start, end) = (last, first, last)
  }

  /// What has been read and not consumed.
  public var readable: Span<UInt8> {
    @_lifetime(borrow self) get { slice(start, end) }
  }

  /// Any bytes between the block's begin and `end`, consumed ones too: heads stay readable while bodies pass.
  @_lifetime(borrow self)
  public func slice(_ from: Int, _ to: Int) -> Span<UInt8> {
    precondition(from >= -Self.margin && from <= to && to <= (isLeased ? capacity + Self.margin : 0))
    // SAFETY: the block spans margin + capacity + margin bytes and the range was checked to lie within.
    let span = unsafe Span(
      _unsafeElements: UnsafeBufferPointer(
        start: base.map { unsafe UnsafePointer($0) + Self.margin + from }, count: to - from))
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// What has been read and not consumed, for decoding in place.
  public var mutableReadable: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      // SAFETY: as in `slice`; start and end are kept within the block.
      let span = unsafe MutableSpan(
        _unsafeElements: UnsafeMutableBufferPointer(
          start: base.map { unsafe $0 + Self.margin + start }, count: end - start))
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  public mutating func consume(_ count: Int) {
    precondition(count >= 0 && count <= end - start)
    start += count
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Moves `start` on without resetting an emptied buffer, so that earlier bytes stay where they are.
  public mutating func advance(_ count: Int) {
    precondition(count >= 0 && count <= end - start)
    start += count
  }

  public mutating func removeAll() {
    start = 0
    end = 0
  }

  /// Keeps the first `count` readable bytes.
  public mutating func truncate(to count: Int) {
    precondition(count >= 0 && count <= end - start)
    end = start + count
  }

  /// Moves the readable bytes to the front of the block.
  public mutating func compact() {
    guard start > 0 else { return }
    // SAFETY: both ranges lie within the block; memmove allows overlap.
    unsafe memmove(base! + Self.margin, base! + Self.margin + start, end - start)
    end -= start
    start = 0
  }

  /// Appends what fits and returns how much that was.
  public mutating func append(_ bytes: Span<UInt8>) -> Int {
    let count = min(bytes.count, room)
    // SAFETY: `count` bytes are free behind `end`.
    unsafe bytes.withUnsafeBufferPointer { source in
      if let from = source.baseAddress, count > 0 { unsafe memcpy(base! + Self.margin + end, from, count) }
    }
    end += count
    return count
  }

  /// Writes `bytes` into the margin right before `start` and makes them readable.
  public mutating func prepend(_ bytes: Span<UInt8>) {
    precondition(bytes.count <= start + Self.margin && isLeased)
    start -= bytes.count
    // SAFETY: `start` is still within the margin.
    unsafe bytes.withUnsafeBufferPointer { source in
      if let from = source.baseAddress { unsafe memcpy(base! + Self.margin + start, from, bytes.count) }
    }
  }

  /// Writes `bytes` behind `end`, into the margin when the block is full, and makes them readable.
  public mutating func appendIntoMargin(_ bytes: Span<UInt8>) {
    precondition(end + bytes.count <= capacity + Self.margin && isLeased)
    // SAFETY: the precondition keeps within the margin.
    unsafe bytes.withUnsafeBufferPointer { source in
      if let from = source.baseAddress { unsafe memcpy(base! + Self.margin + end, from, bytes.count) }
    }
    end += bytes.count
  }

  /// The room behind `end`, for a library that fills it; `commit` says how much it wrote.
  public var freeSpace: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      // SAFETY: `room` bytes are free behind `end`; bytes hold any value, so what malloc left there may be seen.
      let span = unsafe MutableSpan(
        _unsafeElements: UnsafeMutableBufferPointer(start: base.map { unsafe $0 + Self.margin + end }, count: room))
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Makes the first `count` bytes of the free space readable.
  public mutating func commit(_ count: Int) {
    precondition(count >= 0 && count <= room)
    end += count
  }

  /// Reads once from a socket into the room behind `end`; the room must not be empty.
  public mutating func receive(from socket: borrowing FileDescriptor) -> IOResult {
    precondition(room > 0)
    // SAFETY: `room` bytes are free behind `end`.
    let result = unsafe cl_recv(socket.number, base! + Self.margin + end, room)
    if result > 0 { end += result }
    return IOResult(result)
  }
}

/// A worker's free blocks of one size.
///
/// One thread's own, so that leasing is a pop. It keeps at most `keep` free blocks; more go back to the system.
///
/// SAFETY: a block is in the list or with the buffer that leased it, never both.
@safe
public final class BufferPool {
  /// Bytes between the margins.
  public let blockSize: Int
  private let keep: Int
  private var free: [UnsafeMutablePointer<UInt8>] = unsafe []
  /// Blocks leased now.
  package private(set) var leased = 0

  public init(blockSize: Int, keep: Int) {
    self.blockSize = blockSize
    self.keep = keep
  }

  deinit {
    // SAFETY: blocks in the list are owned by the pool.
    while let block = unsafe free.popLast() { unsafe Glibc.free(block) }
  }

  fileprivate func take() -> UnsafeMutablePointer<UInt8> {
    leased += 1
    if let block = unsafe free.popLast() { return unsafe block }
    // SAFETY: freed in `put`, `deinit` or by the buffer that holds it.
    let block = unsafe malloc(blockSize + 2 * IOBuffer.margin)!
    return unsafe block.assumingMemoryBound(to: UInt8.self)
  }

  fileprivate func put(_ block: UnsafeMutablePointer<UInt8>) {
    leased -= 1
    if unsafe free.count < keep { unsafe free.append(block) } else { unsafe Glibc.free(block) }
  }
}
