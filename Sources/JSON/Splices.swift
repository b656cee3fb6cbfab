public import Kernel

/// Edits of bytes, gathered in the order of the text and applied in one pass.
///
/// What no edit touches is copied as it is, so a document keeps its spaces, its digits and the order of its members.
public struct Splices: ~Copyable {
  private struct Splice: BitwiseCopyable {
    var start: Int
    var end: Int
    var textStart: Int
    var textEnd: Int
  }

  private var splices: [Splice] = []
  /// What is put in, one after another.
  private var text = ByteBuffer(capacity: 256)
  private var lastEnd = 0

  public init() {}

  public var isEmpty: Bool { splices.isEmpty }

  /// Forgets all edits; keeps the memory.
  public mutating func removeAll() {
    splices.removeAll(keepingCapacity: true)
    text.removeAll()
    lastEnd = 0
  }

  /// Puts bytes in the place of a range, which begins where the one before ended or behind that.
  ///
  /// - Parameter mark: what stands before the bytes.
  public mutating func replace(_ range: Range<Int>, with bytes: Span<UInt8>, after mark: StaticString = "") {
    precondition(range.lowerBound >= lastEnd, "edits come in the order of the text")
    let start = text.count
    text.append(mark)
    text.append(bytes)
    splices.append(
      Splice(start: range.lowerBound, end: range.upperBound, textStart: start, textEnd: text.count))
    lastEnd = range.upperBound
  }

  public mutating func remove(_ range: Range<Int>) { replace(range, with: Span()) }

  /// Appends the edited bytes to `out`.
  public func apply(to bytes: Span<UInt8>, into out: inout ByteBuffer) {
    out.reserve(bytes.count + text.count)
    var done = 0
    for splice in splices {
      if splice.start > done { out.append(bytes.extracting(done..<splice.start)) }
      if splice.textEnd > splice.textStart { out.append(text.span.extracting(splice.textStart..<splice.textEnd)) }
      done = splice.end
    }
    if done < bytes.count { out.append(bytes.extracting(done..<bytes.count)) }
  }
}
