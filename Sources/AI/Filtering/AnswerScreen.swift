public import Detection
import Kernel

/// What the texts of an answer go through before the client gets them, in its own dialect: whole, or event by event.
///
/// It stands behind the translation, so that one code serves every provider, and nothing that a dialect may say gets by.
/// Pure: octets in, octets out, and however they are cut, the texts come out the same.
public struct AnswerScreen: ~Copyable {
  private let front: Front
  private let makeFilter: () -> any TextFilter
  /// Bytes that the model may write.
  let longest: Int
  private let longestRule: BrokenRule?
  private var framing = ServerSentEvents()
  /// The texts that are under way, by what tells them apart.
  private var channels: [String: Channel] = [:]
  /// Their names, in the order in which they began.
  private var order: [String] = []
  /// Events that were sent; some dialects number them.
  private var sent = 0
  /// The rule for which the answer ends.
  public private(set) var broken: BrokenRule?

  private final class Channel {
    let filter: any TextFilter
    /// The last event that had a piece of it, without its texts.
    var name = ""
    var event: [UInt8] = []
    /// Where in it the piece stands.
    var place = 0..<0

    init(_ filter: any TextFilter) { self.filter = filter }
  }

  /// - Parameters:
  ///   - longest: bytes that the model may write, and the rule that says so.
  ///   - makeFilter: what one text goes through.
  public init(
    _ front: Front, longest: (bytes: Int, rule: BrokenRule)? = nil, _ makeFilter: @escaping () -> any TextFilter
  ) {
    self.front = front
    self.longest = longest?.bytes ?? .max
    longestRule = longest?.rule
    self.makeFilter = makeFilter
  }

  /// Ends the answer when the model has written too much.
  mutating func count(_ written: Int) { if written > longest, broken == nil { broken = longestRule } }

  // MARK: A whole answer

  /// The answer with its texts filtered; what is neither JSON nor text stays as it is.
  ///
  /// - Parameter isText: whether what is no JSON is one text.
  mutating func filter(whole body: [UInt8], isText: Bool = false) -> [UInt8] {
    guard let element = try? JSONElement(parsing: body) else { return isText ? filter(text: body) : body }
    var edits = JSONEdits()
    for text in FilteredTexts.of(answer: element) {
      let (changed, rule) = text.replacement(makeFilter)
      if let changed { edits.replace(text.element.range, changed) }
      if broken == nil { broken = rule }
    }
    return edits.isEmpty ? body : edits.apply(to: body)
  }

  private mutating func filter(text: [UInt8]) -> [UInt8] {
    let filter = makeFilter()
    let filtered = filter.filter(text.span)
    note(filter)
    return filtered
  }

  // MARK: A stream

  /// Takes octets of the client's stream and appends what it gets.
  mutating func take(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
    var position = 0
    while broken == nil, hasNext(bytes, at: &position) {
      if let event = event {
        take(event, named: framing.eventName, into: &out)
      } else {
        if !framing.eventData.isEmpty { flush(into: &out) }
        framing.appendRaw(to: &out)
      }
    }
  }

  /// Reads on to the end of an event. What the gateway itself wrote has none that is too long.
  private mutating func hasNext(_ bytes: Span<UInt8>, at position: inout Int) -> Bool {
    do { return try framing.next(bytes, at: &position) } catch { return false }
  }

  /// The event at hand; nil where it is no JSON.
  private var event: JSONElement? { try? JSONElement(parsing: framing.eventData) }

  /// Appends what was held back, as the stream is over.
  mutating func end(into out: inout ByteBuffer) { flush(into: &out) }

  private mutating func take(_ event: JSONElement, named name: String, into out: inout ByteBuffer) {
    let shape = StreamShape(front, event)
    let texts = FilteredTexts.of(answer: event)
    let keys = texts.map { text in shape.channel(of: text) }
    for key in order where shape.ends(key) && !keys.contains(key) { flush(key, into: &out) }
    if broken != nil { return }
    var edits = EventEdits()
    for (place, text) in texts.enumerated() {
      guard let key = keys[place] else {
        replace(text, &edits)
        continue
      }
      let returns = keys[(place + 1)...].contains(key)
      say(text, of: key, isLast: !returns && shape.ends(key), &edits)
    }
    // What stands before the broken rule is still said, unless the event would also say that all is well.
    if broken != nil, shape.endsAnything || edits.pieces.isEmpty { return }
    for (key, range) in edits.pieces {
      if shape.ends(key) { forget(key) } else { keep(event, name, key, at: range, edits.template) }
    }
    send(name, edits.said, of: event, into: &out)
  }

  /// What is to be changed in an event.
  private struct EventEdits {
    /// As the client gets it.
    var said = JSONEdits()
    /// The same without the texts that go on, for what is said of them later.
    var template = JSONEdits()
    /// Where the texts stand that go on.
    var pieces: [(key: String, place: Range<Int>)] = []
  }

  /// Filters a piece of a text that goes on.
  private mutating func say(_ text: FilteredTexts.Found, of key: String, isLast: Bool, _ edits: inout EventEdits) {
    let filter = channel(key, text)
    let piece = Array((text.element.string ?? "").utf8)
    var said: [UInt8] = []
    filter.take(piece.span, isEnd: isLast, into: &said)
    note(filter)
    let range = text.element.range
    edits.said.replace(range, JSONText.literal(said))
    edits.template.replace(range, Array("\"\"".utf8))
    edits.pieces.append((key, range))
  }

  /// Filters a text that stands for itself.
  private mutating func replace(_ text: FilteredTexts.Found, _ edits: inout EventEdits) {
    let (changed, rule) = text.replacement(makeFilter)
    if broken == nil { broken = rule }
    guard let changed else { return }
    edits.said.replace(text.element.range, changed)
    edits.template.replace(text.element.range, changed)
  }

  private mutating func note(_ filter: any TextFilter) { if broken == nil { broken = filter.broken } }

  private mutating func channel(_ key: String, _ text: FilteredTexts.Found) -> any TextFilter {
    if let known = channels[key] { return known.filter }
    let filter = makeFilter(isJSON: text.kind == .json || StreamShape.isJSON(key))
    channels[key] = Channel(filter)
    order.append(key)
    return filter
  }

  private func makeFilter(isJSON: Bool) -> any TextFilter {
    if isJSON { return JSONTextFilter(makeFilter) }
    return makeFilter()
  }

  private mutating func keep(
    _ event: JSONElement, _ name: String, _ key: String, at range: Range<Int>, _ template: JSONEdits
  ) {
    let marked = template.apply(to: event.document)
    let place = template.shifted(range.lowerBound)
    channels[key]?.name = name
    channels[key]?.event = marked
    channels[key]?.place = place..<place + 2
  }

  private mutating func forget(_ key: String) {
    channels[key] = nil
    order.removeAll { $0 == key }
  }

  private mutating func flush(into out: inout ByteBuffer) { for key in order { flush(key, into: &out) } }

  /// Says what a text still holds back, in an event like the last one that had a piece of it.
  private mutating func flush(_ key: String, into out: inout ByteBuffer) {
    if broken != nil { return }
    guard let channel = channels[key] else { return }
    forget(key)
    var said: [UInt8] = []
    channel.filter.take(Span(), isEnd: true, into: &said)
    note(channel.filter)
    if said.isEmpty { return }
    guard let event = try? JSONElement(parsing: channel.event) else { return }
    var edits = JSONEdits()
    edits.replace(channel.place, JSONText.literal(said))
    send(channel.name, edits, of: event, into: &out)
  }

  private mutating func send(_ name: String, _ edits: JSONEdits, of event: JSONElement, into out: inout ByteBuffer) {
    var edits = edits
    if let number = StreamShape.number(front, event) { edits.replace(number, Array("\(sent)".utf8)) }
    sent += 1
    // A dialect may break its JSON into lines; an event's data here is one.
    let data = edits.apply(to: event.document).filter { $0 != 0x0A && $0 != 0x0D }
    if !name.isEmpty {
      out.append("event: ")
      out.append(name)
      out.append("\n")
    }
    out.append("data: ")
    out.append(data.span)
    out.append("\n\n")
  }

  /// Passes what the gateway itself says, such as why the stream ends.
  mutating func pass(_ bytes: Span<UInt8>, into out: inout ByteBuffer) {
    var position = 0
    var own = ServerSentEvents()
    while (try? own.next(bytes, at: &position)) == true {
      guard let event = try? JSONElement(parsing: own.eventData) else {
        own.appendRaw(to: &out)
        continue
      }
      send(own.eventName, JSONEdits(), of: event, into: &out)
    }
  }
}
