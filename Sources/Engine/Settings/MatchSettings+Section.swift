public import Configuration

extension MatchSettings {
  public static let section = Section(
    "match", MatchSettings(), "Conditions that must all hold; of each list, one member.",
    [
      Keyword(
        "paths", \.paths, .list(of: .pathTemplate, minimum: 1), required: true,
        "Templates: literals, `{name}` for one segment or its end, `*` at the end for the rest."),
      Keyword(
        "hosts", \.hosts, .list(of: .hostPattern, minimum: 1),
        "Names: api.example.com, or *.example.com for all below it."),
      Keyword("methods", \.methods, .list(of: .method, minimum: 1), "Methods; GET includes HEAD."),
      Keyword("headers", \.headers, .conditions(on: .fieldName), "Fields that must be there, or have a value."),
      Keyword(
        "query", \.query, .conditions(on: .text("parameter name", limit: 256)),
        "Parameters of the query that must be there, or have a value."),
      Keyword(
        "listeners", \.listeners, .list(of: .text("listener name"), minimum: 1),
        "Names of listeners that the request came in by."),
    ]
  ) { match, node, _ in
    match.position = node.position
  }
}

extension ValueType where Value == [MatchSettings] {
  /// `METHOD PATH`, `PATH`, a list of them, or the long form.
  static var matches: ValueType {
    let brief = ScalarShape(
      "match", expectation: "`METHOD PATH`, such as GET /v1/items/{id}, or `PATH` for every method")
    return ValueType(
      shape: .either([.list(of: .either([.scalar(brief), .section(MatchSettings.section.shape)]))]),
      read: { node, reading in
        if !node.isSequence { return read(node, brief, &reading).map { [$0] } }
        var matches: [MatchSettings] = []
        matches.reserveCapacity(node.count)
        for element in node.elements {
          // What is right is kept: it may tie with another route.
          if let match = read(element, brief, &reading) { matches.append(match) }
        }
        if node.count == 0, !node.isCut {
          reading.error("this matches nothing", at: node.position, expected: brief.expectation)
        }
        return matches
      },
      describe: { .list($0.map { match in match.brief.map { .text($0) } ?? MatchSettings.section.describe(match) }) })
  }

  private static func read(_ node: Node, _ brief: ScalarShape, _ reading: inout Reading) -> MatchSettings? {
    if node.isMapping {
      var match = MatchSettings()
      let mistakes = reading.diagnostics.errorCount
      MatchSettings.section.read(node, into: &match, &reading)
      // Without the condition that is wrong it would match more than was meant.
      return reading.diagnostics.errorCount == mistakes && !node.isCut ? match : nil
    }
    guard let text = reading.scalar(node, brief) else { return nil }
    do throws(ScalarMistake) {
      return try MatchSettings.parse(text, at: node.position)
    } catch {
      reading.report(error, text, in: node, brief)
      return nil
    }
  }
}

extension MatchSettings {
  fileprivate static func parse(_ text: String, at position: Position) throws(ScalarMistake) -> MatchSettings {
    guard !text.hasPrefix("/"), let space = text.utf8.firstIndex(of: UInt8(ascii: " ")) else {
      return MatchSettings(paths: [try PathTemplate.checked(text)], position: position)
    }
    let method = String(text[..<space])
    let path = String(text[space...].drop { $0 == " " })
    guard Token.isToken(method.utf8), !method.utf8.contains(where: { $0 >= 0x61 && $0 <= 0x7a }) else {
      throw .other("`\(Printable(method))` is no method", expected: "`METHOD PATH`, the method in upper case")
    }
    let template = try PathTemplate.checked(path, at: text.utf8.count - path.utf8.count)
    return MatchSettings(paths: [template], methods: [method], position: position)
  }

  /// As `METHOD PATH` or `PATH`, when that says it all.
  fileprivate var brief: String? {
    guard paths.count == 1, methods.count <= 1, hosts.isEmpty, headers.isEmpty, query.isEmpty, listeners.isEmpty else {
      return nil
    }
    return (methods + paths).joined(separator: " ")
  }
}

extension PathTemplate {
  /// A template, or why it is none as a mistake of the configuration.
  ///
  /// - Parameter start: where it begins in the scalar, in bytes.
  static func read(_ text: String, expected: String, at start: Int = 0) throws(ScalarMistake) -> PathTemplate {
    do {
      return try PathTemplate(parsing: text)
    } catch {
      throw .other("`\(Printable(text))` is no path: \(error)", expected: expected, at: start + error.offset)
    }
  }

  /// The template in normal form, once it is known to be one.
  fileprivate static func checked(_ text: String, at start: Int = 0) throws(ScalarMistake) -> String {
    if let space = text.utf8.firstIndex(of: UInt8(ascii: " ")) {
      throw .other(
        "`\(Printable(text))` is no path: a path has no spaces",
        expected: "`%20` for a space, a list for several paths",
        at: start + text.utf8.distance(from: text.startIndex, to: space))
    }
    return try read(text, expected: "a path such as /v1/items/{id} or /files/*", at: start).description
  }
}

extension ValueType where Value == String {
  static var pathTemplate: ValueType {
    scalar(
      ScalarShape("path", expectation: "a path such as /v1/items/{id} or /files/*"), text: { $0 }
    ) { text throws(ScalarMistake) in try PathTemplate.checked(text) }
  }

  /// A host name, an address, or `*.` and a name; in lower case.
  static var hostPattern: ValueType {
    scalar(
      ScalarShape("host", expectation: "a name without port, such as api.example.com or *.example.com"), text: { $0 }
    ) { text throws(ScalarMistake) in
      guard let (name, isWildcard) = HostName.pattern(text) else { throw .malformed }
      return (isWildcard ? "*." : "") + String(decoding: name, as: UTF8.self)
    }
  }

  /// A path with or without a query, as a request would carry it.
  static var requestPath: ValueType {
    scalar(ScalarShape("path", expectation: "a path such as /healthz"), text: { $0 }) { text throws(ScalarMistake) in
      guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 4096,
        text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "#") })
      else { throw .malformed }
      return text
    }
  }
}

extension ValueType where Value == [ConditionSettings] {
  /// `{ name: value }`, where no value means that the name is enough; or a list of names.
  static func conditions(on name: ValueType<String>) -> ValueType {
    let value = ValueType<String>.text("value")
    return ValueType(
      shape: .either([.list(of: name.shape), .map(key: "NAME", of: value.shape)]),
      read: { node, reading in
        guard node.isMapping else {
          return ValueType<[String]>.list(of: name).read(node, &reading)?.map { ConditionSettings(name: $0) }
        }
        var conditions: [ConditionSettings] = []
        for entry in node.entries {
          guard let name = name.read(entry.key, &reading) else { continue }
          if entry.value.isNull {
            conditions.append(ConditionSettings(name: name))
          } else if let value = value.read(entry.value, &reading) {
            conditions.append(ConditionSettings(name: name, value: value))
          }
        }
        return conditions
      },
      describe: { conditions in
        .group(conditions.map { ($0.name, .text($0.value ?? "present")) })
      })
  }
}
