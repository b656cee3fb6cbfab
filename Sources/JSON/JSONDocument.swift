public import Kernel

/// A JSON document (RFC 8259) as an index over bytes that stay where and as they are.
///
/// Every value, and every name of a member, is a node: its kind and the range of its bytes, in the order of the text.
/// Nothing is decoded before somebody asks, so numbers keep their digits and what nobody edits survives byte for byte.
/// Names that stand twice are an error only where they are looked up. Every method that takes `bytes` wants those that
/// were parsed. Parsing again keeps the memory: a document serves one message after another without allocation.
public struct JSONDocument: ~Copyable {
  public enum Kind: UInt8, Sendable, BitwiseCopyable { case object, array, string, number, yes, no, null }

  /// A value: where it lies, and where the next one behind it stands in the index.
  @usableFromInline
  struct Node: BitwiseCopyable {
    @usableFromInline var start: UInt32
    @usableFromInline var end: UInt32
    /// The index of the node behind everything within this one; while that is read, of the one that it lies in.
    @usableFromInline var next: UInt32
    @usableFromInline var kind: Kind
    /// Whether a string has escapes.
    @usableFromInline var isEscaped: Bool

    @usableFromInline
    init(start: UInt32, end: UInt32, next: UInt32, kind: Kind, isEscaped: Bool = false) {
      self.start = start
      self.end = end
      self.next = next
      self.kind = kind
      self.isEscaped = isEscaped
    }
  }

  /// The levels of objects and arrays that a document may have.
  public static let deepest = 128

  @usableFromInline var nodes = PlainArray<Node>()

  public init() {}

  /// Nodes in all; the document itself is node 0.
  @inlinable
  public var count: Int { nodes.count }

  @inlinable
  public func kind(_ node: Int) -> Kind { nodes[node].kind }

  /// The bytes of a value; of a string with its quotes.
  @inlinable
  public func range(_ node: Int) -> Range<Int> { Int(nodes[node].start)..<Int(nodes[node].end) }

  @inlinable @_lifetime(copy bytes)
  public func text(_ node: Int, in bytes: Span<UInt8>) -> Span<UInt8> { bytes.extracting(range(node)) }

  /// The node behind a value and all that is in it. Within an object the first member's name is `object + 1` and its
  /// value the node behind that; in an array the first element is `array + 1`; both end at `next` of the whole.
  @inlinable
  public func next(_ node: Int) -> Int { Int(nodes[node].next) }

  /// The bytes within the quotes of a string or name, escapes and all.
  @inlinable @_lifetime(copy bytes)
  public func content(_ node: Int, in bytes: Span<UInt8>) -> Span<UInt8> {
    bytes.extracting(Int(nodes[node].start) + 1..<Int(nodes[node].end) - 1)
  }

  @inlinable
  public func isEscaped(_ node: Int) -> Bool { nodes[node].isEscaped }

  /// Whether a string or name means this text.
  public func equals(_ node: Int, _ text: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
    let content = content(node, in: bytes)
    if !nodes[node].isEscaped { return ByteScan.equal(content, text) }
    if content.count < text.count { return false }
    var decoded = ByteBuffer(capacity: content.count)
    JSONString.append(decoding: content, to: &decoded)
    return ByteScan.equal(decoded.span, text)
  }

  /// The value of the member of this name; nil when there is none, or `object` is no object.
  ///
  /// - Throws: when the name stands twice, as readers disagree on which of them counts.
  public func member(_ name: Span<UInt8>, of object: Int, in bytes: Span<UInt8>) throws(JSONError) -> Int? {
    guard kind(object) == .object else { return nil }
    var found: Int?
    var node = object + 1
    let end = next(object)
    while node < end {
      if equals(node, name, in: bytes) {
        if found != nil { throw JSONError(.duplicateName, at: Int(nodes[node].start)) }
        found = node + 1
      }
      node = next(node + 1)
    }
    return found
  }

  /// The element at this index; nil when there is none, or `array` is no array.
  public func element(_ index: Int, of array: Int) -> Int? {
    guard kind(array) == .array, index >= 0 else { return nil }
    var node = array + 1
    let end = next(array)
    var left = index
    while node < end {
      if left == 0 { return node }
      left -= 1
      node = next(node)
    }
    return nil
  }
}
