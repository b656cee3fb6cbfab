/// A place in the tree of a configuration file: a scalar, a list or a mapping.
public struct Node: Sendable {
  public let document: Document
  let index: Int

  private var record: Document.Record { document.records[index] }

  public var isScalar: Bool { record.kind == .scalar }
  public var isSequence: Bool { record.kind == .sequence }
  public var isMapping: Bool { record.kind == .mapping }

  /// Whether nothing is said: an empty value, `~` or `null`, without quotes.
  public var isNull: Bool {
    let record = record
    guard record.kind == .scalar, record.flags.contains(.plain), !record.flags.contains(.expanded) else { return false }
    switch record.count {
    case 0: return true
    case 1: return document.text[Int(record.position)] == UInt8(ascii: "~")
    case 4: return equals(Self.null)
    default: return false
    }
  }

  /// Whether a mistake in it was already reported.
  public var isBroken: Bool { record.flags.contains(.broken) }
  /// Whether all that is wrong with it is that the environment lacks a variable; it is broken too.
  public var isUnset: Bool { record.flags.contains(.unset) }
  /// Whether the text stops being YAML within it, so that what is missing may have been meant to follow.
  public var isCut: Bool { record.flags.contains(.cut) }
  /// Whether the value comes from the environment, at least in part.
  public var isExpanded: Bool { record.flags.contains(.expanded) }
  /// Whether a default stands in for a variable that is not set.
  public var isDefaulted: Bool { record.flags.contains(.defaulted) }
  /// Whether it has neither quotes nor block style, so that `true` and `12` are more than text.
  public var isPlain: Bool { record.flags.contains(.plain) }

  public var position: Position {
    let record = record
    return Position(file: document.file, line: Int(record.line), column: Int(record.column))
  }

  /// Where a byte of a scalar stands, if the scalar stands on one line as it is; else where the scalar begins.
  public func position(ofByte offset: Int) -> Position {
    var place = position
    guard offset > 0, !isExpanded, isPlain || record.flags.contains(.quoted) else { return place }
    place.column += String(decoding: bytes.prefix(offset), as: UTF8.self).unicodeScalars.count + (isPlain ? 0 : 1)
    return place
  }

  /// The text of a scalar, with the environment filled in; empty for others.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The bytes of a scalar; none for others.
  var bytes: ArraySlice<UInt8> {
    let record = record
    guard record.kind == .scalar else { return [] }
    return document.text[Int(record.position)..<Int(record.position) + Int(record.count)]
  }

  /// Whether it is a scalar of exactly these bytes.
  func equals(_ other: [UInt8]) -> Bool {
    let record = record
    guard record.kind == .scalar, Int(record.count) == other.count else { return false }
    let start = Int(record.position)
    for offset in other.indices where document.text[start + offset] != other[offset] { return false }
    return true
  }

  /// How many elements a list has, or entries a mapping.
  public var count: Int {
    let record = record
    switch record.kind {
    case .scalar: return 0
    case .sequence: return Int(record.count)
    case .mapping: return Int(record.count) / 2
    }
  }

  /// The elements of a list; none for others.
  public var elements: Children { Children(of: self, kind: .sequence) }

  /// The entries of a mapping, in the order of the text; none for others.
  public var entries: Entries { Entries(base: Children(of: self, kind: .mapping)) }

  /// The value of the first entry with this key.
  public func value(for key: String) -> Node? {
    let wanted = Array(key.utf8)
    for entry in entries where entry.key.equals(wanted) { return entry.value }
    return nil
  }

  private static let null = Array("null".utf8)

  /// The nodes directly below one.
  public struct Children: Sequence, IteratorProtocol {
    private let document: Document
    private var following: Int
    private let end: Int

    fileprivate init(of node: Node, kind: Document.Record.Kind) {
      document = node.document
      let record = node.record
      following = node.index + 1
      end = record.kind == kind ? Int(record.position) : following
    }

    public mutating func next() -> Node? {
      guard following < end else { return nil }
      let index = following
      let record = document.records[index]
      following = record.kind == .scalar ? index + 1 : Int(record.position)
      return Node(document: document, index: index)
    }
  }

  /// The keys of a mapping with their values.
  public struct Entries: Sequence, IteratorProtocol {
    fileprivate var base: Children

    public mutating func next() -> (key: Node, value: Node)? {
      guard let key = base.next(), let value = base.next() else { return nil }
      return (key, value)
    }
  }
}
