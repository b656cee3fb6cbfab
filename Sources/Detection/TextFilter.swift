/// Changes a text on its way, piece by piece: however it is cut into pieces, the same comes out.
public protocol TextFilter: AnyObject {
  /// Takes the next piece and appends what is settled of the text; the rest is held back until it is.
  ///
  /// Behind the end the filter is not used again, and once a rule is broken it appends nothing more.
  func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8])
  /// The rule that the text breaks; nil while it breaks none.
  var broken: BrokenRule? { get }
}

/// A rule that a text breaks.
public struct BrokenRule: Sendable, Equatable {
  /// For logs: which rule of which guardrails.
  public let name: String
  /// What the caller is told of it; may be empty.
  public let note: String

  public init(name: String, note: String) {
    self.name = name
    self.note = note
  }
}

extension TextFilter {
  /// What becomes of a text that is there as a whole.
  public func filter(_ text: Span<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    take(text, isEnd: true, into: &out)
    return out
  }
}

/// Several filters, each of which takes what the one before it lets go.
public final class FilterChain: TextFilter {
  private let filters: [any TextFilter]
  public private(set) var broken: BrokenRule?

  public init(_ filters: [any TextFilter]) { self.filters = filters }

  public func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    guard broken == nil, let first = filters.first else { return }
    var text: [UInt8] = []
    first.take(piece, isEnd: isEnd, into: &text)
    broken = first.broken
    for filter in filters.dropFirst() {
      var next: [UInt8] = []
      // What stands before the broken rule is all that follows: nobody needs to wait for more.
      filter.take(text.span, isEnd: isEnd || broken != nil, into: &next)
      broken = broken ?? filter.broken
      text = next
    }
    out += text
  }
}
