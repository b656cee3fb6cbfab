import CLinux

/// Searches over bytes that run sixteen at a time.
///
/// Codecs check every byte of a head; done one by one that is most of a proxy's own time. The loops are in C
/// with SSE2 where the machine has it, and plain C elsewhere; both are tested against each other.
package enum ByteScan {
  /// The index of the first `byte` at or after `start`, or the span's count.
  @inline(__always)
  package static func index(of byte: UInt8, in bytes: Span<UInt8>, from start: Int = 0) -> Int {
    unsafe bytes.withUnsafeBufferPointer { p in
      // SAFETY: the C function reads only [start, count) of a live span.
      unsafe Int(cl_scan_byte(p.baseAddress, start, p.count, byte))
    }
  }

  /// The index of the first byte that may not stand in a field value (RFC 9110 §5.5: anything below 0x20 but HTAB,
  /// and DEL) at or after `start`, or the span's count. CR, LF and NUL end it too.
  @inline(__always)
  package static func endOfFieldValue(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_field_value(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that is no `tchar` (RFC 9110 §5.6.2) at or after `start`, or the span's count.
  @inline(__always)
  package static func endOfToken(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_token(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that may not stand in a request target (below 0x21, DEL and above) at or after
  /// `start`, or the span's count.
  @inline(__always)
  package static func endOfTarget(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_target(p.baseAddress, start, p.count)) }
  }

  /// The index of the first byte that JSON must escape (below 0x20, `"`, `\`) or that is not ASCII, at or after
  /// `start`, or the span's count.
  @inline(__always)
  package static func endOfPlainJSON(in bytes: Span<UInt8>, from start: Int) -> Int {
    // SAFETY: as above.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe Int(cl_scan_json(p.baseAddress, start, p.count)) }
  }

  /// Whether both hold the same bytes.
  @inline(__always)
  package static func equal(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    if a.count != b.count { return false }
    // SAFETY: both spans are live and of equal length.
    return unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in unsafe cl_equal(x.baseAddress, y.baseAddress, x.count) != 0 }
    }
  }

  /// Whether both hold the same bytes when ASCII letters are compared without case.
  @inline(__always)
  package static func equalIgnoringCase(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
    if a.count != b.count { return false }
    // SAFETY: both spans are live and of equal length.
    return unsafe a.withUnsafeBufferPointer { x in
      unsafe b.withUnsafeBufferPointer { y in unsafe cl_equal_ignoring_case(x.baseAddress, y.baseAddress, x.count) != 0
      }
    }
  }

  /// A hash of the bytes, mixed with `seed`; for tables in memory only, never stored.
  @inline(__always)
  package static func hash(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
    // SAFETY: the span is live.
    unsafe bytes.withUnsafeBufferPointer { p in unsafe cl_hash(p.baseAddress, p.count, seed) }
  }
}
