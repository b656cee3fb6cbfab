public import Detection

/// The texts of a JSON document of some dialect: what people and models said, and not the words of the dialect itself.
struct FilteredTexts {
  /// A value of the document, and what it is.
  struct Found {
    enum Kind { case text, json, number, tokens }

    let element: JSONElement
    let kind: Kind
    /// The names and places that lead to it.
    let path: [String]
  }

  /// Members that are the dialect's own words, wherever they stand but within what a tool is given or says.
  private let words: Set<String>
  private(set) var found: [Found] = []
  private var path: [String] = []

  /// The texts of a request.
  static func of(request body: JSONElement) -> [Found] { collect(body, words: requestWords) }

  /// The texts of an answer, or of one event of a stream.
  static func of(answer body: JSONElement) -> [Found] { collect(body, words: answerWords) }

  private static func collect(_ body: JSONElement, words: Set<String>) -> [Found] {
    var texts = FilteredTexts(words: words)
    texts.visit(body, isPayload: false)
    return texts.found
  }

  private init(words: Set<String>) { self.words = words }

  private static let requestWords: Set<String> = [
    "model", "role", "type", "signature", "thoughtSignature", "thought_signature", "encrypted_content",
  ]
  private static let answerWords = requestWords.union([
    "id", "object", "finish_reason", "stop_reason", "status", "system_fingerprint", "service_tier", "responseId",
    "modelVersion", "finishReason", "call_id", "item_id", "name",
  ])
  /// Under these stands what the tool's own schema says.
  private static let payloads: Set<String> = ["input", "args", "response"]
  /// Each word of the answer once more, as the model counts them: what was changed would be seen in them.
  private static let tokens: Set<String> = ["logprobs", "logprobsResult"]

  private mutating func visit(_ element: JSONElement, isPayload: Bool) {
    if element.isObject {
      for (name, value) in element.members {
        path.append(name)
        defer { path.removeLast() }
        if Self.tokens.contains(name), !isPayload, value.isObject || value.isArray {
          found.append(Found(element: value, kind: .tokens, path: path))
        } else if isPayload || !(value.isString && words.contains(name)) {
          visit(value, isPayload: isPayload || (Self.payloads.contains(name) && value.isObject))
        }
      }
    } else if element.isArray {
      for (place, value) in element.elements.enumerated() {
        path.append("\(place)")
        defer { path.removeLast() }
        visit(value, isPayload: isPayload)
      }
    } else if element.isString {
      if element.isDataInBase64 { return }
      let isJSON = path.last == "arguments" || path.last == "partial_json"
      found.append(Found(element: element, kind: isJSON ? .json : .text, path: path))
    } else if isPayload, element.number != nil, element.range.count >= Self.shortestNumber {
      found.append(Found(element: element, kind: .number, path: path))
    }
  }

  /// No shorter number is anybody's.
  private static let shortestNumber = 7
}

extension FilteredTexts.Found {
  /// What takes the value's place, as JSON; nil where it stays.
  func replacement(_ makeFilter: @escaping () -> any TextFilter) -> (text: [UInt8]?, broken: BrokenRule?) {
    switch kind {
    case .tokens: return (Array((element.isArray ? "[]" : "null").utf8), nil)
    case .number:
      let (filter, literal) = (makeFilter(), Array(element.literal.utf8))
      let changed = filter.filter(literal.span)
      return (changed == literal ? nil : JSONText.literal(changed), filter.broken)
    case .text, .json:
      let filter: any TextFilter = kind == .json ? JSONTextFilter(makeFilter) : makeFilter()
      let text = Array((element.string ?? "").utf8)
      let changed = filter.filter(text.span)
      return (changed == text ? nil : JSONText.literal(changed), filter.broken)
    }
  }
}

/// Puts other text in the places of some values of a document.
struct JSONEdits {
  private var edits: [(range: Range<Int>, text: [UInt8])] = []

  var isEmpty: Bool { edits.isEmpty }

  mutating func replace(_ range: Range<Int>, _ text: [UInt8]) { edits.append((range, text)) }

  /// Where a place of the document is once the edits are made; no edit reaches over it.
  func shifted(_ place: Int) -> Int {
    edits.reduce(place) { $1.range.upperBound <= place ? $0 + $1.text.count - $1.range.count : $0 }
  }

  /// - Parameter document: the ranges are of it, and none touches another.
  func apply(to document: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(document.count + 64)
    var done = 0
    for edit in edits.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
      bytes += document[done..<edit.range.lowerBound]
      bytes += edit.text
      done = edit.range.upperBound
    }
    bytes += document[done...]
    return bytes
  }
}

extension ModelRequest {
  /// The same request with every text gone through a filter of its own.
  public func filtered(_ makeFilter: @escaping () -> any TextFilter) throws(Refusal) -> ModelRequest {
    var edits = JSONEdits()
    for text in FilteredTexts.of(request: body) {
      if case .tokens = text.kind { continue }
      if let changed = text.replacement(makeFilter).text { edits.replace(text.element.range, changed) }
    }
    if edits.isEmpty { return self }
    if isForm { throw Refusal(nil, "The texts of a form cannot be changed.") }
    return try ModelRequest(
      front, body: edits.apply(to: body.document), path: front == .generate ? (model, streams) : nil,
      operation: operation)
  }
}
