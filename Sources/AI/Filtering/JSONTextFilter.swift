import Detection
import Kernel

/// Filters the texts within JSON that is itself a text and may come in pieces: the arguments of a call.
///
/// Each string goes through a filter of its own, out of its escapes and back into them, so that what is found in it never
/// tears the document. Numbers and whatever else stands outside strings do too, and become strings where they are changed.
final class JSONTextFilter: TextFilter {
  private enum Place { case outside, string }

  private let makeFilter: () -> any TextFilter
  private var filter: any TextFilter
  private var place = Place.outside
  /// An escape, or what stands outside strings, until it is whole.
  private var held: [UInt8] = []
  private(set) var broken: BrokenRule?

  init(_ makeFilter: @escaping () -> any TextFilter) {
    self.makeFilter = makeFilter
    filter = makeFilter()
  }

  func take(_ piece: Span<UInt8>, isEnd: Bool, into out: inout [UInt8]) {
    var run: [UInt8] = []
    for index in piece.indices where broken == nil {
      switch place {
      case .outside: takeOutside(piece[index], into: &out)
      case .string: takeInside(piece[index], &run, into: &out)
      }
    }
    if broken != nil { return }
    if place == .string {
      if isEnd { run += Self.text(held) }
      say(run, isEnd: isEnd, into: &out)
    } else if isEnd {
      flushBare(into: &out)
    }
  }

  // MARK: Outside strings

  private func takeOutside(_ byte: UInt8, into out: inout [UInt8]) {
    switch byte {
    case UInt8(ascii: "\""):
      flushBare(into: &out)
      out.append(byte)
      place = .string
      filter = makeFilter()
    case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","):
      flushBare(into: &out)
      out.append(byte)
    default:
      held.append(byte)
      if held.count > Self.longestBare { flushBare(into: &out) }
    }
  }

  private func flushBare(into out: inout [UInt8]) {
    let isMargin: (UInt8) -> Bool = { $0 == UInt8(ascii: ":") || $0 <= 0x20 }
    let start = held.firstIndex { !isMargin($0) } ?? held.endIndex
    let end = (held.lastIndex { $0 > 0x20 } ?? held.endIndex - 1) + 1
    defer { held.removeAll(keepingCapacity: true) }
    guard start < end else { return out += held }
    let word = Array(held[start..<end])
    let filter = makeFilter()
    let changed = filter.filter(word.span)
    broken = filter.broken
    if broken != nil { return }
    out += held[..<start]
    out += changed == word ? word : JSONText.literal(changed)
    out += held[end...]
  }

  /// No number is longer.
  private static let longestBare = 4096

  // MARK: Inside

  private func takeInside(_ byte: UInt8, _ run: inout [UInt8], into out: inout [UInt8]) {
    if !held.isEmpty {
      held.append(byte)
      if Self.isWhole(held) {
        run += Self.text(held)
        held.removeAll(keepingCapacity: true)
      }
    } else if byte == UInt8(ascii: "\\") {
      held.append(byte)
    } else if byte == UInt8(ascii: "\"") {
      say(run, isEnd: true, into: &out)
      run.removeAll(keepingCapacity: true)
      if broken != nil { return }
      out.append(byte)
      place = .outside
    } else {
      run.append(byte)
    }
  }

  private func say(_ text: [UInt8], isEnd: Bool, into out: inout [UInt8]) {
    var said: [UInt8] = []
    filter.take(text.span, isEnd: isEnd, into: &said)
    broken = filter.broken
    if !said.isEmpty { out += JSONText.literal(said).dropFirst().dropLast() }
  }

  /// Whether an escape is complete; of a surrogate both halves are needed.
  private static func isWhole(_ escape: [UInt8]) -> Bool {
    if escape.count < 2 { return false }
    if escape[1] != UInt8(ascii: "u") { return true }
    if escape.count < 6 { return false }
    guard let unit = JSONTape.codeUnit(escape.span, at: 2), 0xD800...0xDBFF ~= unit else { return true }
    if escape.count > 6, escape[6] != UInt8(ascii: "\\") { return true }
    if escape.count > 7, escape[7] != UInt8(ascii: "u") { return true }
    return escape.count == 12
  }

  /// What an escape means; what is none, as it stands.
  private static func text(_ escape: [UInt8]) -> [UInt8] {
    if escape.isEmpty { return [] }
    guard let string = (try? JSONElement(parsing: [0x22] + escape + [0x22]))?.string else { return escape }
    return Array(string.utf8)
  }
}
