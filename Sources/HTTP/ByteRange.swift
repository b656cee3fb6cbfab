/// A run of bytes in a message's buffer, by offset.
///
/// Heads are views: they hold ranges, and the bytes stay where they were received.
public struct ByteRange: Sendable, Equatable, BitwiseCopyable {
  public var start: UInt32
  public var length: UInt32

  public init(start: UInt32 = 0, length: UInt32 = 0) {
    self.start = start
    self.length = length
  }

  @inline(__always)
  public init(_ range: Range<Int>) {
    start = UInt32(truncatingIfNeeded: range.lowerBound)
    length = UInt32(truncatingIfNeeded: range.upperBound &- range.lowerBound)
  }

  public var isEmpty: Bool { length == 0 }
  public var end: Int { Int(start) &+ Int(length) }
  public var range: Range<Int> { Int(start)..<end }

  /// The bytes in `source`, the buffer that the range was made from.
  @inline(__always) @_lifetime(copy source)
  public func bytes(in source: Span<UInt8>) -> Span<UInt8> {
    source.extracting(range)
  }
}
