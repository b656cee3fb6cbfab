import Configuration
import Engine
import Kernel

/// Files of Tests/ConfigGolden/Fixtures, read as if that were the working directory.
enum SettingsFixture {
  static let directory =
    #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/ConfigGolden/Fixtures/"

  static let files = ConfigurationFiles(
    read: { path, limit in ConfigurationFiles.disk.read(path.hasPrefix("/") ? path : directory + path, limit) },
    matching: { pattern in
      ConfigurationFiles.disk.matching(directory + pattern).map { String($0.dropFirst(directory.count)) }
    })

  static let environment = Environment([
    "PORT": "8081", "EMPTY": "", "WORD": "many", "TOKEN": "token-of-the-fixture",
  ])

  static func load(file: String) -> LoadedSettings {
    GatewaySettings.load(
      file: file, environment: environment, files: files, plugins: [Stamp.declaration], openFiles: 100_000)
  }

  /// Loads text as `gateway.conf`, beside other files.
  static func load(text: String, beside others: [String: String] = [:]) -> LoadedSettings {
    let all = others.merging(["gateway.conf": text]) { $1 }
    let files = ConfigurationFiles(
      read: { path, _ in
        all[path].map { .success(Array($0.utf8)) } ?? .failure(.init(reason: "No such file or directory"))
      },
      matching: { _ in [] })
    return GatewaySettings.load(
      file: "gateway.conf", environment: environment, files: files, plugins: [Stamp.declaration], openFiles: 100_000)
  }

  /// Settings of text that says a listener too.
  static func settings(_ text: String) -> GatewaySettings? {
    load(text: "listeners: { public: 127.0.0.1:8080 }\n" + text).settings
  }

  /// Writes a file anew when the tests run to do that.
  static func write(_ text: String, to file: String) throws {
    guard ProcessEnvironment.value("SLUICE_WRITE_DOCS") != nil else { return }
    try File(directory + file, .replace).writeAll(text.utf8Span.span)
  }

  static func text(of file: String) -> String? {
    guard case .success(let bytes) = files.read(file, 1 << 20) else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// The settings of a plugin that only tests know: a keyword of every type that sections of the gateway do not use.
struct Stamp: Sendable, Equatable {
  enum Mode: String, Sendable, CaseIterable { case fast, careful }

  var header = ""
  var rate = Rate(count: 1, per: .seconds(1))
  var share = 1.0
  var size = 0
  var mode: Mode?
  var isEnabled = true
  var secret: Secret?
  var names: [String] = []

  static let declaration = PluginDeclaration(
    Section(
      "stamp", Stamp(), "Marks requests, in tests.",
      [
        Keyword("header", \.header, .fieldName, required: true, "The field that carries the mark."),
        Keyword("rate", \.rate, .rate, "How often."),
        Keyword("share", \.share, .ratio, "How many of them."),
        Keyword("size", \.size, .size(in: 0...4096), "How large."),
        Keyword("mode", \.mode, .choice, "How."),
        Keyword("enabled", \.isEnabled, .boolean, "Whether."),
        Keyword("secret", \.secret, .secret, "What signs the mark."),
        Keyword("names", \.names, .list(of: .text("name")), "Who."),
      ]))
}
