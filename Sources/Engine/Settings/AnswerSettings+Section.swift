public import Configuration

extension RespondSettings {
  public static let section = Section(
    "respond", RespondSettings(), "A fixed answer.", shorthand: "status",
    [
      Keyword("status", \.status, .integer(in: 200...599), "The status."),
      Keyword(
        "headers", .map(key: .answerField, to: .fieldValue), "Fields of the answer.",
        get: { $0.headers.map { ($0.name, $0.value) } },
        set: { $0.headers = $1.map { FieldSettings(name: $0.0, value: $0.1) } }),
      Keyword("body", \.body, .content(), "The body, as text."),
      Keyword(
        "json", shape: .anything, "The body, as JSON; instead of `body`.",
        read: { node, answer, _ in
          answer.body = node.json.text
          answer.addContentType("application/json")
        }, describe: { _ in nil }),
    ]
  ) { answer, node, reading in
    if let json = node.value(for: "json"), node.value(for: "body") != nil {
      reading.error("an answer has one body", at: json.position, expected: "`body` or `json`")
    }
    if [204, 205, 304].contains(answer.status), !answer.body.isEmpty {
      reading.error("an answer with status \(answer.status) has no body", at: node.position)
    }
    if !answer.body.isEmpty { answer.addContentType("text/plain; charset=utf-8") }
  }

  private mutating func addContentType(_ type: String) {
    guard !headers.contains(where: { $0.name.lowercased() == "content-type" }) else { return }
    headers.append(FieldSettings(name: "Content-Type", value: type))
  }
}

extension RedirectSettings {
  public static let section = Section(
    "redirect", RedirectSettings(location: ""), "Sends the client elsewhere.", shorthand: "location",
    [
      Keyword(
        "location", \.location, .location, required: true,
        "Where to: a URL or a path; `{host}` and `{path}` (with the query) are the request's, as in https://{host}{path}."
      ),
      Keyword("status", \.status, .redirectStatus, "301, 302, 303, 307 or 308."),
    ])
}

extension ValueType where Value == Int {
  fileprivate static var redirectStatus: ValueType {
    let codes = [301, 302, 303, 307, 308]
    let shape = ScalarShape(
      "status of a redirect", expectation: "one of \(codes.map(String.init).joined(separator: ", "))",
      schema: [("enum", .array(codes.map { .integer($0) }))])
    return scalar(shape, text: { String($0) }) { text throws(ScalarMistake) in
      guard let code = Int(text), codes.contains(code) else { throw .malformed }
      return code
    }
  }
}

extension ValueType where Value == String {
  /// The name of a field that an answer may set.
  fileprivate static var answerField: ValueType {
    token("field name", expectation: "a field name such as Retry-After").checked { text throws(ScalarMistake) in
      let own = ["content-length", "transfer-encoding", "connection", "keep-alive", "trailer", "upgrade", "date"]
      if own.contains(text.lowercased()) {
        throw .other("`\(text)` is for Sluice to say", expected: "any other field")
      }
    }
  }

  /// An `http` or `https` URL, or a path: what a browser follows without running anything.
  fileprivate static var location: ValueType {
    scalar(
      ScalarShape("location", expectation: "a URL or a path in printable ASCII, such as https://example.com/"),
      text: { $0 }
    ) {
      text throws(ScalarMistake) in
      guard !text.isEmpty, text.utf8.count <= 4096, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
        throw .malformed
      }
      guard RedirectLocation.isWellFormed(text) else {
        throw .other("braces mean the request's own parts here", expected: "{host} and {path}, nothing else in braces")
      }
      if text.hasPrefix("/") { return text }
      let scheme = text.prefix { $0 != ":" }.lowercased()
      guard ["http", "https"].contains(scheme) else {
        throw .other("`\(Printable(text))` is neither a path nor a URL of http or https")
      }
      guard text.dropFirst(scheme.count).hasPrefix("://"), text.utf8.count > scheme.utf8.count + 3 else {
        throw .malformed
      }
      return text
    }
  }
}
