import Configuration
import Testing

@testable import Engine

@Suite struct PluginSetTests {
  private static let sets = """
    plugin_sets:
      marks: [{ stamp: { header: x-a } }, { stamp: { header: x-b } }]
      other: { stamp: { header: x-c } }

    """

  private func headers(_ entries: [PluginEntry]) -> [String?] { entries.map { ($0.settings as? Stamp)?.header } }

  @Test func `a set stands for its plugins, where it is named`() throws {
    let settings = try #require(
      SettingsFixture.settings(
        Self.sets + """
          plugins: [{ stamp: { header: x-0 } }, { use: other }]
          routes:
            a: { match: /a, respond: 200, plugins: [{ use: marks }, { stamp: { header: x-1 } }, { use: other }] }
            b: { match: /b, respond: 200, plugins: { use: marks } }
          """))
    #expect(headers(settings.plugins) == ["x-0", "x-c"])
    #expect(headers(settings.routes[0].plugins) == ["x-a", "x-b", "x-1", "x-c"])
    #expect(headers(settings.routes[1].plugins) == ["x-a", "x-b"])
    let origins = settings.routes[0].plugins.map(\.origin)
    #expect(
      origins == [
        PluginOrigin(list: .set("marks"), index: 0), PluginOrigin(list: .set("marks"), index: 1),
        PluginOrigin(list: .route("a"), index: 1), PluginOrigin(list: .set("other"), index: 0),
      ])
  }

  @Test func `a diff shows a set once, and its name where it is used`() throws {
    let routes = "routes: { a: { match: /a, respond: 200, plugins: [{ use: marks }, { use: marks }] } }"
    let before = try #require(SettingsFixture.settings(Self.sets + "plugins: { use: other }\n" + routes))
    #expect(before.diff(to: before, plugins: [Stamp.declaration]).changes.isEmpty)
    let changed = Self.sets.split(separator: "x-b").joined(separator: "x-z")
    let after = try #require(SettingsFixture.settings(changed + "plugins: { use: other }\n" + routes))
    let text = before.diff(to: after, plugins: [Stamp.declaration]).text
    #expect(text.hasPrefix("~ plugin_sets.marks: ") && text.split(separator: "\n").count == 1, "\(text)")
    let without = try #require(SettingsFixture.settings(Self.sets + "routes: { a: { match: /a, respond: 200 } }"))
    #expect(
      before.diff(to: without, plugins: [Stamp.declaration]).text == """
        ~ plugins: [{ use: other }] -> []
        ~ routes.a.plugins: [{ use: marks }, { use: marks }] -> []

        """)
  }

  @Test func `a set that nothing uses earns a warning`() {
    let loaded = SettingsFixture.load(
      text: "listeners: { public: 127.0.0.1:8080 }\ncall_log: off\n" + Self.sets
        + "routes: { a: { match: /a, respond: 200, plugins: { use: other } } }")
    #expect(loaded.diagnostics.sorted.map(\.message) == ["nothing uses the plugin set `marks`"])
  }

  @Test func `sets of several files add up, with a name each`() {
    let loaded = SettingsFixture.load(
      text: "include: more.conf\nlisteners: { public: 127.0.0.1:8080 }\nplugin_sets: { a: { stamp: { header: x-a } } }",
      beside: ["more.conf": "plugin_sets: { a: { stamp: { header: x-b } } }"])
    #expect(loaded.diagnostics.text.contains("the plugin set `a` stands in two files"), "\(loaded.diagnostics.text)")
  }
}
