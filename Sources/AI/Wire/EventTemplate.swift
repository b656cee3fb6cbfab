import Kernel

/// A stream's last event, from which the next one mostly differs in nothing but its text.
///
/// A model's words come in hundreds of events that are the same up to a short string. To compare the rest octet by octet
/// takes a twentieth of the time that it takes to read JSON anew; what differs in any other way is read as ever.
struct EventTemplate {
  /// What an event says that has a text and nothing else.
  private enum Kind { case text, refusal, reasoning, toolArguments }

  private let kind: Kind
  private let bytes: [UInt8]
  /// Where the strings stand that may be others, without their quotes.
  private let slots: [Range<Int>]
  /// Which of them is the text.
  private let place: Int

  /// Names of strings that providers fill with noise, so that nobody can tell the length of a text from that of an event.
  private static let noise: Set<String> = ["obfuscation", "p"]

  /// - Parameters:
  ///   - data: of an event that was read.
  ///   - said: all that it said.
  init?(_ data: [UInt8], saying said: Event) {
    let text: String
    switch said {
    case .text(let piece): (kind, text) = (.text, piece)
    case .refusal(let piece): (kind, text) = (.refusal, piece)
    case .reasoning(let piece): (kind, text) = (.reasoning, piece)
    case .toolArguments(let piece): (kind, text) = (.toolArguments, piece)
    default: return nil
    }
    guard !text.isEmpty, let event = try? JSONElement(parsing: data) else { return nil }
    let places = event.strings(equalTo: text)
    // Twice the same string: nobody can say which of them is the text.
    guard places.count == 1 else { return nil }
    let others = event.members.filter { Self.noise.contains($0.name) && $0.value.isString }.map(\.value.range)
    let found = (places + others).map { $0.lowerBound + 1..<$0.upperBound - 1 }.sorted { $0.lowerBound < $1.lowerBound }
    slots = found
    place = found.firstIndex { $0.lowerBound == places[0].lowerBound + 1 } ?? 0
    bytes = data
  }

  /// What an event says that differs in its slots alone; nil of any other.
  func read(_ data: Span<UInt8>) -> Event? {
    var (known, position) = (0, 0)
    var text = 0..<0
    var isEscaped = false
    for (index, slot) in slots.enumerated() {
      guard isSame(known..<slot.lowerBound, data, at: position) else { return nil }
      position += slot.lowerBound - known
      guard let end = try? JSONTape.endOfString(data, from: position) else { return nil }
      if index == place { (text, isEscaped) = (position..<end.position, end.isEscaped) }
      (known, position) = (slot.upperBound, end.position)
    }
    guard data.count - position == bytes.count - known, isSame(known..<bytes.count, data, at: position), !text.isEmpty
    else { return nil }
    let content = data.extracting(text)
    let said =
      isEscaped
      ? JSONElement.unescape(Array(copying: content)[...]) : String(decoding: Array(copying: content), as: UTF8.self)
    switch kind {
    case .text: return .text(said)
    case .refusal: return .refusal(said)
    case .reasoning: return .reasoning(said)
    case .toolArguments: return .toolArguments(said)
    }
  }

  private func isSame(_ range: Range<Int>, _ data: Span<UInt8>, at position: Int) -> Bool {
    guard position + range.count <= data.count else { return false }
    let bytes = bytes
    return ByteScan.equal(bytes.span.extracting(range), data.extracting(position..<position + range.count))
  }
}

extension JSONElement {
  /// Where the strings stand, in the values of this document, that say the same as a text.
  fileprivate func strings(equalTo text: String) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var open = [self]
    while let element = open.popLast() {
      if element.isString {
        if element.string == text { found.append(element.range) }
      } else {
        open += element.elements + element.members.map(\.value)
      }
    }
    return found
  }
}
