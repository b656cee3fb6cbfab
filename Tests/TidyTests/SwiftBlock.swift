/// A pair of braces and what it belongs to. Lines count from 0.
struct SwiftBlock {
  enum Kind { case type, function, accessor, other }
  let kind: Kind
  /// Where its declaration starts: the line of `func`, `struct` and so on.
  let header: Int
  let opening: Int
  var closing: Int
  /// How many blocks that are not types stand around it.
  let depthInCode: Int

  /// Every block of a file, in the order in which they open.
  static func all(in lines: [SwiftLine]) -> [SwiftBlock] {
    var finder = BlockFinder()
    for index in lines.indices { finder.read(lines[index], index) }
    return finder.blocks
  }
}

/// Walks the braces of a file and remembers the last declaring word before each.
private struct BlockFinder {
  private(set) var blocks: [SwiftBlock] = []
  private var open: [Int] = []
  private var kind = SwiftBlock.Kind.other
  private var header = 0
  private var parentheses = 0
  /// Parentheses that were open when the enclosing block opened, as in a closure that is an argument.
  private var suspended: [Int] = []

  private static let kinds: [String: SwiftBlock.Kind] = [
    "class": .type, "struct": .type, "enum": .type, "protocol": .type, "extension": .type, "actor": .type,
    "func": .function, "init": .function, "deinit": .function, "subscript": .function,
    "var": .accessor, "let": .accessor,
  ]

  mutating func read(_ line: SwiftLine, _ index: Int) {
    var word: [UInt8] = []
    for byte in line.code + [UInt8(ascii: " ")] {
      if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || isLetter(byte) {
        word.append(byte)
        continue
      }
      if !word.isEmpty { see(String(decoding: word, as: UTF8.self), index) }
      word = []
      switch byte {
      case UInt8(ascii: "("): parentheses += 1
      case UInt8(ascii: ")"): parentheses -= 1
      case UInt8(ascii: "{"): openBlock(index)
      case UInt8(ascii: "}"): closeBlock(index)
      default: break
      }
    }
  }

  private func isLetter(_ byte: UInt8) -> Bool {
    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
  }

  private mutating func see(_ word: String, _ index: Int) {
    guard parentheses == 0, let found = Self.kinds[word] else { return }
    // `class func` and `class var` are members; the second word decides.
    kind = found
    header = index
  }

  private mutating func openBlock(_ index: Int) {
    let isArgument = parentheses > 0
    let depth = open.count { blocks[$0].kind != .type }
    let isDeclared = kind != .other && !isArgument
    blocks.append(
      SwiftBlock(
        kind: isArgument ? .other : kind, header: isDeclared ? header : index, opening: index, closing: index,
        depthInCode: depth))
    open.append(blocks.count - 1)
    suspended.append(parentheses)
    parentheses = 0
    kind = .other
  }

  private mutating func closeBlock(_ index: Int) {
    guard let block = open.popLast() else { return }
    blocks[block].closing = index
    parentheses = suspended.popLast() ?? 0
    kind = .other
  }
}
