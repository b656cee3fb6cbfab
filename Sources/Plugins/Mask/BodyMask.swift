import Detection
import Foreign
import JSON
import Kernel

/// Masks a JSON body: whole values by their paths, parts of texts by what they look like.
struct BodyMask: ~Copyable {
  private let paths: [JSONPath]
  private let detectors: DetectorSet
  private let expressions: [(String, RegularExpression)]
  private var document = JSONDocument()
  private var splices = Splices()
  private var found: [Detection] = []
  /// Monotonic nanoseconds.
  private let clock: @Sendable () -> Int
  /// When the expressions have had their time with this body.
  private var expressionsEnd = 0
  /// How many values of each kind were masked in the last body.
  private(set) var counts: [String: Int] = [:]

  /// Nanoseconds that all searches in one body may take: for any body, and more for each octet and expression.
  private static let leastTime = 10_000_000
  private static let timeForOctet = 200

  init(_ side: Mask.Side, clock: @escaping @Sendable () -> Int = { Clock.monotonic }) {
    self.clock = clock
    paths = side.paths
    detectors = DetectorSet(side.detect)
    expressions = side.expressions
  }

  var isEmpty: Bool { paths.isEmpty && detectors.isEmpty && expressions.isEmpty }

  /// Appends the masked body; false, with nothing appended, when there was nothing to mask.
  mutating func apply(to body: Span<UInt8>, _ writer: MaskWriter, into out: inout ByteBuffer) throws(JSONError) -> Bool
  {
    splices.removeAll()
    counts.removeAll(keepingCapacity: true)
    try document.parse(body)
    if !expressions.isEmpty {
      expressionsEnd = clock() + Self.leastTime + Self.timeForOctet * body.count * expressions.count
    }
    visit(0, paths.map { $0.segments[...] }, body, writer)
    if splices.isEmpty { return false }
    splices.apply(to: body, into: &out)
    return true
  }

  private typealias Rest = ArraySlice<JSONPath.Segment>

  /// - Parameter rests: what is left of the paths that have led here.
  private mutating func visit(_ node: Int, _ rests: [Rest], _ body: Span<UInt8>, _ writer: MaskWriter) {
    switch document.kind(node) {
    case .object: visit(object: node, rests, body, writer)
    case .array:
      var child = node + 1
      var index = 0
      while child < document.next(node) {
        let further = rests.compactMap { rest in
          rest.first.flatMap { $0.isAny || $0.index == index ? rest.dropFirst() : nil }
        }
        // An element that is taken away would move the others: it becomes null.
        if further.contains(where: { $0.isEmpty }) {
          mask(value: child, body, writer)
        } else {
          visit(child, further, body, writer)
        }
        child = document.next(child)
        index += 1
      }
    case .string, .number: detect(in: node, body, writer)
    case .yes, .no, .null: break
    }
  }

  private mutating func visit(object: Int, _ rests: [Rest], _ body: Span<UInt8>, _ writer: MaskWriter) {
    var keepsAny = false
    var lastEnd = document.range(object).lowerBound + 1
    var name = object + 1
    let end = document.next(object)
    while name < end {
      let next = document.next(name + 1)
      let range = document.range(name).lowerBound..<document.range(name + 1).upperBound
      var further: [Rest] = []
      for rest in rests {
        guard let segment = rest.first else { continue }
        let wanted = segment.name
        if segment.isAny || document.equals(name, wanted.span, in: body) { further.append(rest.dropFirst()) }
      }
      if !further.contains(where: { $0.isEmpty }) {
        visit(name + 1, further, body, writer)
        keepsAny = true
      } else if writer.removes {
        let following = next < end ? document.range(next).lowerBound : range.upperBound
        splices.remove(keepsAny ? lastEnd..<range.upperBound : range.lowerBound..<following)
        counts["path", default: 0] += 1
      } else {
        mask(value: name + 1, body, writer)
        keepsAny = true
      }
      lastEnd = range.upperBound
      name = next
    }
  }

  /// Masks a whole value; what is null stays null.
  private mutating func mask(value node: Int, _ body: Span<UInt8>, _ writer: MaskWriter) {
    if document.kind(node) == .null { return }
    counts["path", default: 0] += 1
    if writer.removes { return splices.replace(document.range(node), with: ByteScan.bytes(of: "null")) }
    var text = ByteBuffer(capacity: 64)
    if document.kind(node) == .string {
      JSONString.append(decoding: document.content(node, in: body), to: &text)
    } else {
      text.append(document.text(node, in: body))
    }
    var masked = ByteBuffer(capacity: 64)
    writer.append(maskOf: text.span, kind: Self.kind(of: text.span), to: &masked)
    replace(node, by: masked.span)
  }

  /// What the whole of a text is: so that it has the same pseudonym here and where it is only recognised.
  private static func kind(of text: Span<UInt8>) -> String {
    var found: [Detection] = []
    DetectorSet(Detector.allCases).find(in: text, into: &found)
    return found.first.flatMap { $0.range == 0..<text.count ? $0.detector.rawValue : nil } ?? "value"
  }

  private mutating func replace(_ node: Int, by text: Span<UInt8>) {
    var json = ByteBuffer(capacity: text.count + 8)
    json.append(json: text)
    splices.replace(document.range(node), with: json.span)
  }

  /// Masks what is recognised within a text, or a number as it is written.
  private mutating func detect(in node: Int, _ body: Span<UInt8>, _ writer: MaskWriter) {
    if detectors.isEmpty, expressions.isEmpty { return }
    let isText = document.kind(node) == .string
    if isText, document.isEscaped(node) {
      var text = ByteBuffer(capacity: 256)
      JSONString.append(decoding: document.content(node, in: body), to: &text)
      maskParts(of: text.span, in: node, writer)
    } else {
      maskParts(of: isText ? document.content(node, in: body) : document.text(node, in: body), in: node, writer)
    }
  }

  private mutating func maskParts(of text: Span<UInt8>, in node: Int, _ writer: MaskWriter) {
    found.removeAll(keepingCapacity: true)
    detectors.find(in: text, into: &found)
    var parts = found.map { (range: $0.range, kind: $0.detector.rawValue) }
    for (name, expression) in expressions { addParts(of: text, name, expression, to: &parts) }
    if parts.isEmpty { return }
    parts.sort { $0.range.lowerBound < $1.range.lowerBound }
    var masked = ByteBuffer(capacity: text.count + 32)
    var done = 0
    for part in parts where part.range.lowerBound >= done {
      masked.append(text.extracting(done..<part.range.lowerBound))
      writer.append(maskOf: text.extracting(part.range), kind: part.kind, to: &masked)
      done = part.range.upperBound
      counts[part.kind, default: 0] += 1
    }
    masked.append(text.extracting(done..<text.count))
    replace(node, by: masked.span)
  }

  /// A text that takes an expression more effort than it may is masked as a whole, and so are all that follow when the
  /// expressions have had their time: many texts of moderate effort would hold up the loop as one of much would.
  private mutating func addParts(
    of text: Span<UInt8>, _ name: String, _ expression: RegularExpression,
    to parts: inout [(range: Range<Int>, kind: String)]
  ) {
    var start = 0
    while start < text.count {
      switch clock() < expressionsEnd ? expression.search(text, from: start) : .exhausted {
      case .absent: return
      case .exhausted:
        counts["exhausted", default: 0] += 1
        parts = [(0..<text.count, name)]
        return
      case .found(let range):
        // Looking around may find nothing at a place; the next one is tried then.
        if !range.isEmpty { parts.append((range, name)) }
        start = max(range.upperBound, start + 1)
        while start < text.count, text[start] & 0xC0 == 0x80 { start += 1 }
      }
    }
  }
}
