import JSON
import Kernel

/// What a text means, as a direction in a space of many dimensions: of length 1, so that a product of two is their cosine.
struct Embedding: Sendable {
  /// In groups of sixteen; the last one is filled up with zeros.
  let groups: [SIMD16<Float>]

  /// More than any model has.
  static let mostDimensions = 16_384

  /// Nil where the numbers say no direction.
  init?(_ numbers: [Float]) {
    guard !numbers.isEmpty, numbers.count <= Self.mostDimensions else { return nil }
    var square: Float = 0
    for number in numbers { square += number * number }
    guard square.isFinite, square > 0 else { return nil }
    let scale = 1 / square.squareRoot()
    groups = stride(from: 0, to: numbers.count, by: 16).map { start in
      var group = SIMD16<Float>.zero
      for index in start..<min(start + 16, numbers.count) { group[index - start] = numbers[index] * scale }
      return group
    }
  }

  /// The cosine of the angle between both; nil where they are of different spaces.
  func similarity(to other: Embedding) -> Float? {
    guard groups.count == other.groups.count else { return nil }
    var sum = SIMD16<Float>.zero
    // Not `addProduct`: without FMA in the baseline that is a call of a function for each number.
    for index in groups.indices { sum += groups[index] * other.groups[index] }
    return sum.sum()
  }

  /// The memory that it takes.
  var size: Int { groups.count * MemoryLayout<SIMD16<Float>>.size }

  // MARK: In a store

  /// All numbers, four octets each, the lowest first.
  var octets: [UInt8] {
    var octets: [UInt8] = []
    octets.reserveCapacity(size)
    for group in groups {
      for index in 0..<16 {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
          octets.append(UInt8(truncatingIfNeeded: group[index].bitPattern >> shift))
        }
      }
    }
    return octets
  }

  init?(octets: [UInt8]) {
    guard octets.count % 64 == 0, octets.count / 4 <= Self.mostDimensions else { return nil }
    self.init(
      stride(from: 0, to: octets.count, by: 4).map { start in
        Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(octets[start + $1]) << UInt32(8 * $1) })
      })
  }

  // MARK: On the wire

  /// A request in OpenAI's dialect.
  static func request(_ text: String, model: String) -> [UInt8] {
    var json = JSONWriter(capacity: text.utf8.count + 128)
    json.object {
      $0.member("model", model)
      $0.member("input", text)
    }
    return Array(copying: json.buffer.span)
  }

  /// The vector of an answer in OpenAI's dialect; nil where there is none.
  static func read(_ answer: [UInt8]) -> Embedding? {
    var document = JSONDocument()
    let bytes = answer.span
    guard (try? document.parse(bytes)) != nil, let list = list(document, bytes) else { return nil }
    var numbers: [Float] = []
    var node = list + 1
    let end = document.next(list)
    while node < end {
      guard document.kind(node) == .number, numbers.count < mostDimensions,
        let number = Float(String(decoding: Array(copying: document.text(node, in: bytes)), as: UTF8.self))
      else { return nil }
      numbers.append(number)
      node = document.next(node)
    }
    return Embedding(numbers)
  }

  private static func list(_ document: borrowing JSONDocument, _ bytes: Span<UInt8>) -> Int? {
    guard document.kind(0) == .object, let data = try? document.member("data".utf8Span.span, of: 0, in: bytes),
      document.kind(data) == .array, let first = document.element(0, of: data), document.kind(first) == .object,
      let list = try? document.member("embedding".utf8Span.span, of: first, in: bytes), document.kind(list) == .array
    else { return nil }
    return list
  }
}
