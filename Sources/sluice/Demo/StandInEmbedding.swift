import AI
import JSON
import Kernel

/// The stand-in's idea of what a text means: which words and which pieces of words it has, and nothing else.
///
/// Texts that differ in a letter, in case or in punctuation are near each other; those that say the same in other words are not.
struct StandInEmbedding {
  private static let dimensions = 256

  let vectors: [[Double]]
  let tokens: Int

  /// Nil where nothing was said that can be turned into vectors.
  init?(_ input: JSONElement?) {
    let texts = input?.string.map { [$0] } ?? input?.elements.compactMap(\.string) ?? []
    if texts.isEmpty { return nil }
    vectors = texts.map(Self.vector)
    tokens = texts.reduce(0) { $0 + $1.split(separator: " ").count }
  }

  private static func vector(of text: String) -> [Double] {
    let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }.map { Array(" \($0) ".utf8) }
    var vector = [Double](repeating: 0, count: dimensions)
    for word in words {
      add(word[...], 2, to: &vector)
      for start in 0..<max(1, word.count - 2) { add(word[start...].prefix(3), 1, to: &vector) }
    }
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? vector.map { ($0 / length * 1_000_000).rounded() / 1_000_000 } : [1] + vector.dropFirst()
  }

  /// FNV-1a says which direction a feature has, and its sign.
  private static func add(_ feature: ArraySlice<UInt8>, _ weight: Double, to vector: inout [Double]) {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in feature { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    vector[Int(hash % UInt64(dimensions))] += hash >> 63 == 0 ? weight : -weight
  }

  func write(model: String) -> JSONWriter {
    var json = JSONWriter()
    json.object {
      $0.member("object", "list")
      $0.member("model", model)
      $0.array("data") {
        for (index, vector) in vectors.enumerated() {
          $0.object {
            $0.member("object", "embedding")
            $0.member("index", index)
            $0.array("embedding") { for number in vector { $0.value(number) } }
          }
        }
      }
      $0.object("usage") {
        $0.member("prompt_tokens", tokens)
        $0.member("total_tokens", tokens)
      }
    }
    return json
  }
}
