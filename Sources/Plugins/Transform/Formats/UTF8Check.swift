import JSON
import Kernel

/// Whether bytes are UTF-8.
enum UTF8Check {
  /// Where the first byte stands that no sequence of UTF-8 can have there.
  static func firstMistake(in text: Span<UInt8>) -> Int? {
    var index = 0
    while index < text.count {
      if text[index] < 0x80 {
        index += 1
        continue
      }
      let sequence = UTF8Sequence(at: index, of: text)
      if !sequence.isValid { return index }
      index += sequence.length
    }
    return nil
  }
}
