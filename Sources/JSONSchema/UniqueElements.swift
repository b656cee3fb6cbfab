import JSON
import Kernel

/// Whether no two elements of a list are equal.
enum UniqueElements {
  /// Only elements of equal hashes are compared, so that a long list costs no more than its length.
  static func holds(_ list: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Bool {
    var hashes: [(hash: UInt64, node: Int)] = []
    let seed = UInt64.random(in: .min ... .max)
    var child = list + 1
    while child < document.next(list) {
      hashes.append((hash(child, document, bytes, seed), child))
      child = document.next(child)
    }
    hashes.sort { $0.hash < $1.hash }
    for index in hashes.indices.dropFirst() where hashes[index].hash == hashes[index - 1].hash {
      let literal = JSONLiteral(hashes[index - 1].node, of: document, bytes)
      if literal.equals(hashes[index].node, of: document, bytes) { return false }
    }
    return true
  }

  /// The same for equal values, whatever the order of members and the way of writing.
  private static func hash(
    _ node: Int, _ document: borrowing JSONDocument, _ bytes: Span<UInt8>, _ seed: UInt64
  ) -> UInt64 {
    switch document.kind(node) {
    case .null: return seed &+ 1
    case .yes: return seed &+ 2
    case .no: return seed &+ 3
    case .number: return DecimalNumber(document.text(node, in: bytes)).hash &* 0x9E37_79B9_7F4A_7C15 ^ seed
    case .string:
      var decoded = ByteBuffer(capacity: 64)
      JSONString.append(decoding: document.content(node, in: bytes), to: &decoded)
      return ByteScan.hash(decoded.span, seed: seed)
    case .array:
      var sum = seed &+ 4
      var child = node + 1
      while child < document.next(node) {
        sum = sum &* 31 &+ hash(child, document, bytes, seed)
        child = document.next(child)
      }
      return sum
    case .object:
      var sum = seed &+ 5
      var name = node + 1
      while name < document.next(node) {
        sum = sum &+ hash(name, document, bytes, seed ^ 0xA5A5) &* (hash(name + 1, document, bytes, seed) | 1)
        name = document.next(name + 1)
      }
      return sum
    }
  }
}
