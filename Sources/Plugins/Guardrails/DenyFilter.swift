import Detection
import Foreign
import Kernel

/// Finds expressions in a text that may come in pieces, and lets no more of it go than what stands before one.
///
/// It holds back only what could still become a match. A text of which more must be held than `longest` is treated as one
/// that has a match, as is one that takes an expression too long to look through.
final class DenyFilter: TextFilter {
  private let expressions: [RegularExpression]
  private let onMatch: (Int) -> BrokenRule?
  /// How many characters before what is held the expressions must still see.
  private let lookbehind: Int
  private var text: [UInt8] = []
  /// Where what is held begins.
  private var start = 0
  /// Nothing is looked for any more: a shadow has seen what it counts.
  private var isDone = false
  private(set) var broken: BrokenRule?

  private static let longest = 64 << 10

  /// - Parameter onMatch: what an expression that was found means, by its place; nil to let the text pass.
  init(_ expressions: [RegularExpression], _ onMatch: @escaping (Int) -> BrokenRule?) {
    self.expressions = expressions
    self.onMatch = onMatch
    // One at least, so that nothing takes what is held for the beginning of the text.
    lookbehind = max(1, expressions.map(\.lookbehind).max() ?? 1)
  }

  func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    if broken != nil { return }
    for index in piece.indices { text.append(piece[index]) }
    var settled = text.count
    let (text, start) = (text, start)
    for (index, expression) in expressions.enumerated() where !isDone {
      let found =
        isEnd ? Self.search(text, from: start, expression) : expression.search(beginning: text.span, from: start)
      switch found {
      case .absent: continue
      case .pending(let place):
        settled = min(settled, place)
        if text.count - place > Self.longest { stop(index) }
      case .found(let range):
        settled = min(settled, range.lowerBound)
        stop(index)
      case .exhausted:
        settled = start
        stop(index)
      }
      if broken != nil { break }
    }
    if isDone { settled = text.count }
    if settled > start { out += text[start..<settled] }
    keep(from: max(start, settled))
  }

  private static func search(
    _ text: [UInt8], from start: Int, _ expression: RegularExpression
  ) -> RegularExpression.PartialOutcome {
    switch expression.search(text.span, from: start) {
    case .absent: .absent
    case .found(let range): .found(range)
    case .exhausted: .exhausted
    }
  }

  private func stop(_ index: Int) {
    broken = onMatch(index)
    isDone = broken == nil
  }

  /// Forgets what is before a place, but for what the expressions look back at.
  private func keep(from place: Int) {
    var first = place
    for _ in 0..<lookbehind where first > 0 {
      first -= 1
      while first > 0, text[first] & 0xC0 == 0x80 { first -= 1 }
    }
    text.removeFirst(first)
    start = place - first
  }
}
