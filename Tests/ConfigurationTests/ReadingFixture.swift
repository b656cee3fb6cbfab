@testable import Configuration

/// Files and an environment that exist in memory only.
enum ReadingFixture {
  static func reading(_ files: [String: String] = [:], environment: [String: String] = [:]) -> Reading {
    Reading(
      files: ConfigurationFiles(
        read: { path, limit in
          guard let text = files[path] else { return .failure(.init(reason: "No such file or directory")) }
          return text.utf8.count > limit ? .failure(.init(reason: "it is too large")) : .success(Array(text.utf8))
        },
        matching: { pattern in
          let prefix = pattern.prefix { $0 != "*" }
          return files.keys.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".conf") }.sorted()
        }),
      environment: Environment(environment))
  }

  /// The tree of a text, and what was wrong with it.
  static func document(
    _ text: String, environment: [String: String] = [:]
  ) -> (root: Node?, messages: [String]) {
    var reading = reading(environment: environment)
    reading.diagnostics.add(source: "a.conf", Array(text.utf8))
    let document = DocumentBuilder.build(file: "a.conf", bytes: Array(text.utf8), reading: &reading)
    return (document?.root, reading.diagnostics.sorted.map(\.message))
  }

  /// What a section makes of a text.
  static func read<Settings>(
    _ section: Section<Settings>, _ text: String, environment: [String: String] = [:], files: [String: String] = [:]
  ) -> (settings: Settings, diagnostics: Diagnostics) {
    var reading = reading(files, environment: environment)
    let bytes = Array(text.utf8)
    reading.diagnostics.hide(secretsOf: section.shape)
    reading.diagnostics.add(source: "a.conf", bytes)
    var settings = section.initial
    if let root = DocumentBuilder.build(file: "a.conf", bytes: bytes, reading: &reading)?.root {
      section.read(root, into: &settings, &reading)
    }
    return (settings, reading.diagnostics)
  }
}

/// A section with one keyword of each kind.
struct Sample: Sendable, Equatable {
  struct Part: Sendable, Equatable {
    var name = ""
    var size = 1024
    var position = Position.none
  }

  enum Mode: String, Sendable, CaseIterable { case fast, careful }

  var text = "none"
  var time: Nanoseconds = .seconds(1)
  var size: Int?
  var isOn = false
  var mode = Mode.fast
  var secret: Secret?
  var list: [String] = []
  var parts: [Part] = []
  var path: String?
  var count = 1

  static let part = Section(
    "part", Part(), "A part.", shorthand: "size", [Keyword("size", \.size, .size(in: 1...4096), "How large.")])

  static let section = Section(
    "sample", Sample(), "A sample.", shorthand: "text",
    [
      Keyword("text", \.text, .text(), required: true, "What it says."),
      Keyword("time", \.time, .duration, "How long."),
      Keyword("size", \.size, .size(in: 0...1024), "How large."),
      Keyword("on", \.isOn, .boolean, "Whether."),
      Keyword("mode", \.mode, .choice, "How."),
      Keyword("secret", \.secret, .secret, "What nobody knows."),
      Keyword("list", \.list, .list(of: .fieldName, maximum: 3), "Which."),
      Keyword(
        "parts",
        .named(
          part, name: \.name,
          locate: {
            $0.name = $1
            $0.position = $2
          }), "Parts.", get: { $0.parts }, set: { $0.parts = $1 }),
      Keyword("path", \.path, .filePath, "Where."),
      Keyword("count", \.count, .integer(in: 1...9), "How many."),
    ]
  ) { sample, node, reading in
    if sample.count == 9 { reading.error("nine is not for samples", at: node.position) }
  }
}
