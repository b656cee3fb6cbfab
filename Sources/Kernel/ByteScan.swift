import CLinux
import Glibc

/// Searches over bytes that run sixteen at a time.
///
/// Codecs check every byte of a head; done one by one that is most of a proxy's own time. The loops are in C
/// with SSE2 where the machine has it, and plain C elsewhere; both are tested against each other.
public enum ByteScan {
  /// The index of the first `byte` at or after `start`, or the span's count.
  @inline(__always)
  public static func index(of byte: UInt8, in bytes: Span<UInt8>, from start: Int = 0) -> Int {
    unsafe bytes.withUnsafeBufferPointer { p in
      // SAFETY: the C function reads only [start, count) of a live span.
      unsafe Int(cl_scan_byte(p.baseAddress, start, p.count, byte))
    }
  }

  /// The index of the first byte that may not stand in a field value (RFC 9110 §5.5: anything below 0x20 but HTAB,
  /// and DEL) at or after `start`, or the span's count. CR, LF and NUL end it too.
  @inline(__always)
  public static func endOfFieldValue(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_field_value(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that is no `tchar` (RFC 9110 §5.6.2) at or after `start`, or the span's count.
  @inline(__always)
  public static func endOfToken(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_token(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that may not stand in a request target (below 0x21, DEL and above) at or after
  /// `start`, or the span's count.
  @inline(__always)
  public static func endOfTarget(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_target(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that is no ASCII letter, digit or `-` at or after `start`, or the span's count.
  @inline(__always)
  public static func endOfName(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_name(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that is not unreserved (RFC 3986 §2.3) at or after `start`, or the span's count.
  @inline(__always)
  public static func endOfHostName(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_host(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that is not plain path at or after `start`, or the span's count.
  ///
  /// Plain is visible ASCII without ``"#%.<>?\^`{}``: a path of plain bytes alone needs no normalisation.
  @inline(__always)
  public static func endOfPlainPath(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_path(p.baseAddress, start, p.count)) }
  }

  /// The index of the first `/` at or after `start` that another one follows, or the span's count.
  @inline(__always)
  public static func indexOfEmptySegment(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_slashes(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that may not stand in a query (anything but visible ASCII, and `"#<>`) at or after
  /// `start`, or the span's count.
  @inline(__always)
  public static func endOfQuery(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_query(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that JSON must escape (below 0x20, `"`, `\`) or that is not ASCII, at or after
  /// `start`, or the span's count.
  ///
  /// Most names and texts end within eight bytes, which are looked at in one word before anything is called.
  @inlinable @inline(__always)
  public static func endOfPlainJSON(in bytes: Span<UInt8>, from start: Int) -> Int {
    if start < 0 || start &+ 8 > bytes.count { return endOfLongPlainJSON(in: bytes, from: start) }
    // SAFETY: eight bytes from `start` lie in the live span.
    let word = unsafe bytes.withUnsafeBufferPointer {
      unsafe UInt64(littleEndian: UnsafeRawPointer($0.baseAddress! + start).loadUnaligned(as: UInt64.self))
    }
    let ones: UInt64 = 0x0101_0101_0101_0101
    // Subtracting sets the top bit of the lowest byte that is below; what a borrow sets lies above that one.
    let quote = (word ^ (ones &* 0x22)) &- ones
    let backslash = (word ^ (ones &* 0x5C)) &- ones
    let ends = (quote | backslash | (word &- (ones &* 0x20)) | word) & (ones &* 0x80)
    if ends != 0 { return start &+ (ends.trailingZeroBitCount &>> 3) }
    return endOfLongPlainJSON(in: bytes, from: start &+ 8)
  }

  @usableFromInline
  static func endOfLongPlainJSON(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: the C function reads only [start, count) of a live span.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_json(p.baseAddress, start, p.count)) }
  }

  /// Where `needle`, which is not empty, first begins in `bytes`.
  public static func range(of needle: Span<UInt8>, in bytes: Span<UInt8>) -> Range<Int>? {
    var start = index(of: needle[0], in: bytes)
    while start + needle.count <= bytes.count {
      if equal(bytes.extracting(start..<start + needle.count), needle) { return start..<start + needle.count }
      start = index(of: needle[0], in: bytes, from: start + 1)
    }
    return nil
  }

  /// Whether both hold the same bytes.
  @inline(__always)
  public static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    if a.count != b.count { return false }
    // SAFETY: both spans are live and of equal length.
    return unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in unsafe cl_equal(x.baseAddress, y.baseAddress, x.count) != 0 }
    }
  }

  /// Whether both hold the same bytes when ASCII letters are compared without case.
  @inline(__always)
  public static func equalIgnoringCase(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    if a.count != b.count { return false }
    // SAFETY: both spans are live and of equal length.
    return unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in unsafe cl_equal_ignoring_case(x.baseAddress, y.baseAddress, x.count) != 0
      }
    }
  }

  /// A hash of the bytes, mixed with `seed`; for tables in memory only, never stored.
  @inline(__always)
  public static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
    // SAFETY: the span is live.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe cl_hash(p.baseAddress, p.count, seed) }
  }

  /// The bytes of a literal.
  @inline(__always) @_lifetime(immortal)
  public static func bytes(of text: StaticString) -> Span<UInt8> {
    // SAFETY: a literal's bytes live as long as the program.
    let span = unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount)
    return unsafe _overrideLifetime(span, copying: ())
  }

  /// Up to eight bytes from `start` as a little-endian number; bytes behind the end count as zero.
  @inline(__always)
  public static func word(in bytes: Span<UInt8>, at start: Int = 0) -> UInt64 {
    precondition(start >= 0)
    let available = bytes.count &- start
    if available >= 8 {
      // SAFETY: eight bytes from `start` lie in the live span.
      return unsafe bytes.withUnsafeBufferPointer {
        unsafe UInt64(littleEndian: UnsafeRawPointer($0.baseAddress! + start).loadUnaligned(as: UInt64.self))
      }
    }
    var word: UInt64 = 0
    var index = 0
    while index < available {
      word |= UInt64(bytes[start &+ index]) &<< UInt64(index &* 8)
      index &+= 1
    }
    return word
  }

  /// The first and last eight bytes as numbers, which overlap below sixteen bytes; a cheap key for a hash table.
  ///
  /// Fewer than eight bytes give one number and zero.
  @inline(__always)
  public static func ends(of bytes: Span<UInt8>) -> (first: UInt64, last: UInt64) {
    if bytes.count < 8 { return (word(in: bytes), 0) }
    return (word(in: bytes), word(in: bytes, at: bytes.count &- 8))
  }

  /// Moves `count` bytes within a span; the ranges may overlap.
  @inline(__always)
  public static func move(_ bytes: inout MutableSpan<UInt8>, from source: Int, to target: Int, count: Int) {
    precondition(source >= 0 && target >= 0 && count >= 0)
    precondition(source + count <= bytes.count && target + count <= bytes.count)
    if count == 0 || source == target { return }
    // SAFETY: both ranges lie in the live span; memmove allows overlap.
    unsafe bytes.withUnsafeMutableBufferPointer { p in
      unsafe _ = memmove(p.baseAddress! + target, p.baseAddress! + source, count)
    }
  }
}
