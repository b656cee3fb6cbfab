/// Where a request's path parameters stand in its path, from the left; their names are the template's.
public struct PathParameters: Sendable {
  /// A template with more parameters is refused.
  public static let maximumCount = 16

  public private(set) var count = 0
  private var offsets = InlineArray<16, UInt32>(repeating: 0)
  private var lengths = InlineArray<16, UInt32>(repeating: 0)

  public init() {}

  /// The bytes of one parameter in the path.
  public subscript(index: Int) -> Range<Int> {
    precondition(index < count)
    return Int(offsets[index])..<Int(offsets[index] + lengths[index])
  }

  public mutating func append(_ range: Range<Int>) {
    offsets[count] = UInt32(truncatingIfNeeded: range.lowerBound)
    lengths[count] = UInt32(truncatingIfNeeded: range.count)
    count += 1
  }

  public mutating func removeLast() { count -= 1 }
  public mutating func removeAll() { count = 0 }
}
