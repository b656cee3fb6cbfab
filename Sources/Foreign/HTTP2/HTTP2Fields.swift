import Kernel

/// Field lines of HTTP/2 messages, pseudo-fields among them, in the order in which they came or are to be sent.
///
/// Names and values lie behind each other in one buffer, so that a list that is used again allocates nothing.
public struct HTTP2Fields: ~Copyable {
  struct Line {
    var name: Int
    var value: Int
    var end: Int
    var isUnique: Bool
  }

  private var octets = ByteBuffer(capacity: 2048)
  private(set) var lines: [Line] = []

  public init() { lines.reserveCapacity(32) }

  public var count: Int { lines.count }
  /// Octets of all names and values.
  public var size: Int { octets.count }

  @_lifetime(borrow self)
  public func name(_ index: Int) -> Span<UInt8> { octets.span.extracting(lines[index].name..<lines[index].value) }

  @_lifetime(borrow self)
  public func value(_ index: Int) -> Span<UInt8> { octets.span.extracting(lines[index].value..<lines[index].end) }

  /// - Parameter isUnique: the value is another one each time, so the peer need not remember it (RFC 7541 §6.2.3).
  ///   Remembered ones of the same name are compared with each new one, up to fifty.
  public mutating func append(_ name: Span<UInt8>, _ value: Span<UInt8>, isUnique: Bool = false) {
    let start = octets.count
    octets.append(name)
    octets.append(value)
    lines.append(Line(name: start, value: start + name.count, end: octets.count, isUnique: isUnique))
  }

  public mutating func append(_ name: StaticString, _ value: Span<UInt8>) {
    append(ByteScan.bytes(of: name), value)
  }

  /// Forgets the lines; keeps the memory unless it has grown beyond what common messages need.
  public mutating func removeAll() {
    lines.removeAll(keepingCapacity: true)
    if octets.capacity > Self.keptCapacity { octets = ByteBuffer(capacity: 2048) } else { octets.removeAll() }
  }

  /// Forgets the lines before `index`.
  mutating func removeFirst(_ index: Int) {
    guard index > 0 else { return }
    guard index < lines.count else { return removeAll() }
    let offset = lines[index].name
    octets.removeFirst(offset)
    lines.removeFirst(index)
    for place in lines.indices {
      lines[place].name -= offset
      lines[place].value -= offset
      lines[place].end -= offset
    }
  }

  /// Shows where the octets lie, for the library.
  func withOctets(_ body: (UnsafePointer<UInt8>) -> Void) {
    // SAFETY: the octets stay where they are while `self` is borrowed; an empty list has no lines to look at.
    unsafe octets.span.withUnsafeBufferPointer { if let start = $0.baseAddress { unsafe body(start) } }
  }

  private static let keptCapacity = 64 << 10
}
