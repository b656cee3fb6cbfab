import Glibc

/// A growable run of bytes that owns its memory.
///
/// Everything that is written piece by piece lands here: heads on their way out, log lines, metric pages. Reading
/// happens through `Span`, so no pointer leaves this file. Growth doubles; `removeAll` keeps the memory.
///
/// Appending is inlinable, because only small functions are inlined into other modules without: a literal then costs
/// a few stores instead of two calls, and every head is made of some twenty.
@safe
public struct ByteBuffer: ~Copyable {
  @usableFromInline var base: UnsafeMutablePointer<UInt8>
  @usableFromInline var room: Int
  @usableFromInline var written = 0

  /// - Parameter capacity: bytes to reserve at once, at least 16; 0 to take no memory before something is written.
  public init(capacity: Int = 256) {
    room = capacity == 0 ? 0 : max(16, capacity)
    // SAFETY: owned by this value alone and freed in deinit; without room it is neither read nor written, nor freed.
    unsafe base = room == 0 ? Self.nowhere : .allocate(capacity: room)
  }

  // SAFETY: allocated in init or grow, never shared.
  deinit { if room > 0 { unsafe base.deallocate() } }

  // SAFETY: an address that nothing is at: what has no room never follows it.
  private static var nowhere: UnsafeMutablePointer<UInt8> {
    unsafe UnsafeMutablePointer(bitPattern: 16).unsafelyUnwrapped
  }

  /// What is taken at least where nothing was.
  private static let firstRoom = 256

  @inlinable
  public var capacity: Int { room }

  /// How many bytes are written.
  @inlinable
  public var count: Int { written }

  @inlinable
  public var isEmpty: Bool { written == 0 }

  /// The written bytes.
  public var span: Span<UInt8> {
    @inlinable @_lifetime(borrow self) get {
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

  @inlinable @inline(__always)
  public mutating func removeAll() { written = 0 }

  /// Keeps the first `length` bytes.
  public mutating func truncate(to length: Int) {
    precondition(length >= 0 && length <= count)
    written = length
  }

  /// Drops the first `length` bytes and moves the rest to the front.
  public mutating func removeFirst(_ length: Int) {
    precondition(length >= 0 && length <= count)
    // SAFETY: both ranges lie within the allocation; memmove allows overlap.
    unsafe memmove(base, base + length, count - length)
    written -= length
  }

  @inlinable @inline(__always)
  public mutating func reserve(_ extra: Int) {
    if count + extra > room { grow(to: count + extra) }
  }

  @inline(never) @usableFromInline
  mutating func grow(to needed: Int) {
    let larger = max(needed, room == 0 ? Self.firstRoom : room * 2)
    // SAFETY: the new block is at least `count` long; the old one, if there is one, is freed once copied.
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    if room > 0 {
      unsafe memcpy(block, base, count)
      unsafe base.deallocate()
    }
    unsafe base = block
    room = larger
  }

  @inlinable @inline(__always)
  public mutating func append(_ byte: UInt8) {
    if count == room { grow(to: count + 1) }
    // SAFETY: count < capacity.
    unsafe base[count] = byte
    written += 1
  }

  @inlinable @inline(__always)
  public mutating func append(_ bytes: Span<UInt8>) {
    let length = bytes.count
    reserve(length)
    // SAFETY: `length` bytes are free behind `count`, and the source is a live span of that length.
    unsafe bytes.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { unsafe (base + written).update(from: start, count: length) }
    }
    written += length
  }

  /// Appends a literal; inlined, so that it becomes a few stores of known length.
  @inlinable @inline(__always)
  public mutating func append(_ text: StaticString) {
    let length = text.utf8CodeUnitCount
    if count &+ length > room { grow(to: count + length) }
    // SAFETY: `length` bytes are free behind `count`; a static string's bytes live for ever.
    unsafe (base + written).update(from: text.utf8Start, count: length)
    written &+= length
  }

  @_disfavoredOverload
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
    if value < 10 {
      // SAFETY: 20 bytes are free behind `count`.
      unsafe base[count] = UInt8(truncatingIfNeeded: value) &+ 0x30
      written &+= 1
      return
    }
    let digits = Self.digits(of: value)
    var rest = value
    var index = count &+ digits
    while rest >= 10 {
      let (quotient, remainder) = rest.quotientAndRemainder(dividingBy: 100)
      rest = quotient
      index &-= 2
      // SAFETY: 20 bytes are free behind `count`, and no UInt has more digits; the last pair may have one only.
      unsafe base[index &+ 1] = UInt8(truncatingIfNeeded: remainder % 10) &+ 0x30
      unsafe base[index] = UInt8(truncatingIfNeeded: remainder / 10) &+ 0x30
    }
    // SAFETY: as above; an odd number of digits leaves one.
    if rest > 0 || index > count { unsafe base[count] = UInt8(truncatingIfNeeded: rest) &+ 0x30 }
    written &+= digits
  }

  private static func digits(of value: UInt) -> Int {
    if value < 100 { return value < 10 ? 1 : 2 }
    if value < 10_000 { return value < 1_000 ? 3 : 4 }
    if value < 1_000_000 { return value < 100_000 ? 5 : 6 }
    var digits = 6
    var rest = value / 1_000_000
    while rest > 0 {
      digits += 1
      rest /= 10
    }
    return digits
  }

  /// Appends a number in lower-case hexadecimal, at least `digits` wide.
  public mutating func append(hexadecimal value: UInt64, digits: Int = 1) {
    let width = max(digits, (64 - value.leadingZeroBitCount + 3) / 4)
    reserve(width)
    var rest = value
    var index = count &+ width
    while index > count {
      index &-= 1
      let nibble = UInt8(truncatingIfNeeded: rest & 15)
      // SAFETY: `width` bytes are free behind `count`.
      unsafe base[index] = nibble &+ (nibble < 10 ? 0x30 : 0x57)
      rest >>= 4
    }
    written &+= width
  }

  /// Appends a 64-bit number as sixteen lower-case hexadecimal digits, eight at a time.
  public mutating func append(sixteenDigits value: UInt64) {
    reserve(16)
    appendEight(UInt32(truncatingIfNeeded: value >> 32))
    appendEight(UInt32(truncatingIfNeeded: value))
  }

  /// Spreads eight nibbles over eight bytes and turns each into its digit, all at once in one word.
  private mutating func appendEight(_ value: UInt32) {
    var x = UInt64(value)
    x = (x & 0xffff) << 32 | (x >> 16)
    x = (x & 0x0000_00ff_0000_00ff) << 16 | (x & 0x0000_ff00_0000_ff00) >> 8
    x = (x & 0x000f_000f_000f_000f) << 8 | (x & 0x00f0_00f0_00f0_00f0) >> 4
    // A nibble above 9 carries into bit 4 when 6 is added; letters lie 0x27 above what digits would be.
    let letters = ((x &+ 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101
    x = x &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    // SAFETY: the caller has reserved sixteen bytes.
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: x.littleEndian, as: UInt64.self)
    written &+= 8
  }
}
