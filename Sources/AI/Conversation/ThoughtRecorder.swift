/// Puts thoughts together that come in pieces, for dialects that say whole ones.
///
/// One is whole when something else follows: its proof comes last, and may come in pieces too.
struct ThoughtRecorder {
  private var text = ""
  private var signature = ""
  private var count = 0

  /// - Returns: the thoughts that are whole now and that somebody has signed, each with its place among those.
  mutating func take(_ event: Event) -> [(thought: Thought, place: Int)] {
    switch event {
    case .reasoning(let more):
      let whole = signature.isEmpty ? [] : end()
      text += more
      return whole
    case .reasoningSignature(let more):
      signature += more
      return []
    case .opaqueReasoning(let data): return end() + [next(.opaque(data))]
    case .usage: return []
    default: return text.isEmpty && signature.isEmpty ? [] : end()
    }
  }

  private mutating func end() -> [(thought: Thought, place: Int)] {
    defer { (text, signature) = ("", "") }
    return signature.isEmpty ? [] : [next(.text(text, signature: signature))]
  }

  private mutating func next(_ thought: Thought) -> (thought: Thought, place: Int) {
    count += 1
    return (thought, count - 1)
  }
}
