import AI
import JSON
import Kernel

/// Vectors of the stand-in: each word counts in one place, so that texts with the same words are near each other.
struct StandInEmbeddings {
  private let texts: [String]
  private let size: Int
  private let isBase64: Bool

  /// Nil where the request asks for nothing that can be embedded.
  init?(_ request: JSONElement) {
    guard let input = request["input"] else { return nil }
    texts = input.string.map { [$0] } ?? input.elements.compactMap(\.string)
    size = request["dimensions"]?.integer ?? Self.usualSize
    isBase64 = request["encoding_format"]?.string == "base64"
    guard !texts.isEmpty, texts.count <= 2048, 1...4096 ~= size else { return nil }
  }

  private static let usualSize = 64

  func answer(model: String) -> JSONWriter {
    let words = texts.map { $0.lowercased().split { !$0.isLetter && !$0.isNumber } }
    var json = JSONWriter()
    json.object {
      $0.member("object", "list")
      $0.array("data") {
        for (index, words) in words.enumerated() {
          $0.object {
            $0.member("object", "embedding")
            $0.member("index", index)
            write(vector(of: words), into: &$0)
          }
        }
      }
      $0.member("model", model)
      let tokens = words.reduce(0) { $0 + $1.count }
      $0.object("usage") {
        $0.member("prompt_tokens", tokens)
        $0.member("total_tokens", tokens)
      }
    }
    return json
  }

  private func write(_ vector: [Float], into json: inout JSONWriter) {
    guard isBase64 else { return json.array("embedding") { for number in vector { $0.value(Double(number)) } } }
    var octets: [UInt8] = []
    for number in vector {
      for shift: UInt32 in [0, 8, 16, 24] { octets.append(UInt8(truncatingIfNeeded: number.bitPattern >> shift)) }
    }
    var text = ByteBuffer(capacity: octets.count * 2)
    Base64.append(octets.span, to: &text)
    json.member("embedding", text.span)
  }

  /// Of length 1, or nothing but zeros where there is no word.
  private func vector(of words: [Substring]) -> [Float] {
    var vector = [Float](repeating: 0, count: size)
    for word in words { vector[Int(Self.hash(word) % UInt64(size))] += 1 }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? vector.map { $0 / length } : vector
  }

  /// FNV-1a: the same on every machine and every day.
  private static func hash(_ word: Substring) -> UInt64 {
    word.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
