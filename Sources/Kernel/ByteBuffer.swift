import Glibc

/// A growable run of bytes that owns its memory.
///
/// Everything that is written piece by piece lands here: heads on their way out, log lines, metric pages. Reading
/// happens through `Span`, so no pointer leaves this file. Growth doubles; `removeAll` keeps the memory.
@safe
public struct ByteBuffer: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  package private(set) var capacity: Int
  /// How many bytes are written.
  package private(set) var count = 0

  /// - Parameter capacity: bytes to reserve at once; at least 16.
  public init(capacity: Int = 256) {
    self.capacity = max(16, capacity)
    // SAFETY: owned by this value alone and freed in deinit.
    unsafe base = .allocate(capacity: self.capacity)
  }

  // SAFETY: allocated in init or grow, never shared.
  deinit { unsafe base.deallocate() }

  public var isEmpty: Bool { count == 0 }

  /// The written bytes.
  public var span: Span<UInt8> {
    @_lifetime(borrow self) get {
      // SAFETY: `count` bytes from `base` are initialised, and the span borrows self.
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The written bytes, for changing in place.
  public var mutableSpan: MutableSpan<UInt8> {
    @_lifetime(&self) mutating get {
      // SAFETY: `count` bytes from `base` are initialised, and the span borrows self exclusively.
      let span = unsafe MutableSpan(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  public mutating func removeAll() { count = 0 }

  /// Keeps the first `length` bytes.
  public mutating func truncate(to length: Int) {
    precondition(length >= 0 && length <= count)
    count = length
  }

  /// Drops the first `length` bytes and moves the rest to the front.
  public mutating func removeFirst(_ length: Int) {
    precondition(length >= 0 && length <= count)
    // SAFETY: both ranges lie within the allocation; memmove allows overlap.
    unsafe memmove(base, base + length, count - length)
    count -= length
  }

  public mutating func reserve(_ extra: Int) {
    if count + extra > capacity { grow(to: count + extra) }
  }

  @inline(never)
  private mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    // SAFETY: the new block is at least `count` long; the old one is freed once copied.
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    unsafe memcpy(block, base, count)
    unsafe base.deallocate()
    unsafe base = block
    capacity = larger
  }

  public mutating func append(_ byte: UInt8) {
    if count == capacity { grow(to: count + 1) }
    // SAFETY: count < capacity.
    unsafe base[count] = byte
    count += 1
  }

  public mutating func append(_ bytes: Span<UInt8>) {
    let length = bytes.count
    reserve(length)
    // SAFETY: `length` bytes are free behind `count`, and the source is a live span of that length.
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { unsafe memcpy(base + count, start, length) }
    }
    count += length
  }

  public mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    reserve(length)
    // SAFETY: `length` bytes are free behind `count`; a static string's bytes live for ever.
    unsafe memcpy(base + count, text.utf8Start, length)
    count += length
  }

  public mutating func append(_ text: String) {
    append(text.utf8Span.span)
  }

  /// Appends a number in decimal.
  public mutating func append(decimal value: Int) {
    if value < 0 {
      append(UInt8(ascii: "-"))
      append(decimal: value.magnitude)
    } else {
      append(decimal: UInt(value))
    }
  }

  public mutating func append(decimal value: UInt) {
    reserve(20)
    var digits = 1
    var bound: UInt = 10
    while value >= bound, digits < 20 {
      digits += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { break }
      bound = next
    }
    var rest = value
    var index = count + digits - 1
    repeat {
      // SAFETY: 20 bytes are free behind `count`, and no UInt has more digits.
      unsafe base[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
      rest /= 10
      index -= 1
    } while index >= count
    count += digits
  }

  /// Appends a number in lower-case hexadecimal, at least `digits` wide.
  public mutating func append(hexadecimal value: UInt64, digits: Int = 1) {
    let width = max(digits, (64 - value.leadingZeroBitCount + 3) / 4)
    for index in stride(from: width - 1, through: 0, by: -1) {
      let nibble = UInt8(truncatingIfNeeded: (value >> UInt64(index * 4)) & 15)
      append(nibble < 10 ? nibble + 0x30 : nibble + 0x57)
    }
  }
}
