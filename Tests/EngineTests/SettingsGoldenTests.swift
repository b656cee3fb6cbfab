import Configuration
import Testing

@testable import Engine

/// Files of Tests/ConfigGolden/Fixtures: beside each `NAME.conf` stands, as `NAME.txt`, what `check` says about it. With
/// `SLUICE_WRITE_DOCS` set, those are written anew, to be read in the diff.
@Suite struct SettingsGoldenTests {
  static let names = SettingsFixture.files.matching("*.conf")

  static let loadable: Set<String> = ["everything.conf", "minimal.conf", "proxy.conf", "unused.conf"]

  @Test(arguments: names) func `check says what it should`(_ name: String) throws {
    let loaded = SettingsFixture.load(file: name)
    try SettingsFixture.write(loaded.diagnostics.text, to: name.dropLast(5) + ".txt")
    let expected = try #require(SettingsFixture.text(of: name.dropLast(5) + ".txt"), "\(loaded.diagnostics.text)")
    #expect(loaded.diagnostics.text == expected)
    #expect((loaded.settings != nil) == Self.loadable.contains(name))
    #expect(loaded.diagnostics.hasErrors == (loaded.settings == nil))
  }

  @Test(arguments: names) func `nothing that check says shows a secret`(_ name: String) {
    let diagnostics = SettingsFixture.load(file: name).diagnostics
    for secret in ["hunter2", "open sesame", "token-of-the-fixture"] {
      #expect(!diagnostics.text.contains(secret))
      #expect(!diagnostics.json.contains(secret))
    }
  }

  @Test func `the fixtures hold a good number of mistakes`() {
    #expect(Self.names.count > 30)
    let messages = Self.names.flatMap { SettingsFixture.load(file: $0).diagnostics.sorted.map(\.message) }
    #expect(Set(messages).count > 150)
  }

  @Test func `the whole language loads into the values that it says`() throws {
    let settings = SettingsFixture.load(file: "everything.conf").settings
    let lines = settings.map { Self.lines($0.describe(plugins: [Stamp.declaration]), path: "") } ?? ""
    try SettingsFixture.write(lines, to: "everything.settings.txt")
    #expect(lines == SettingsFixture.text(of: "everything.settings.txt"), "\(lines)")
  }

  /// One line for each value.
  static func lines(_ description: Description, path: String) -> String {
    guard case .group(let members) = description, !members.isEmpty else { return "\(path): \(description.line)\n" }
    return members.map { lines($0.1, path: path.isEmpty ? $0.0 : "\(path).\($0.0)") }.joined()
  }
}
