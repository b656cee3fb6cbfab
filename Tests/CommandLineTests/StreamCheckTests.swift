import GatewayTesting
import Testing

/// What `check` says of plugins that would not see what models stream.
struct StreamCheckTests {
  private func check(_ plugin: String, ai: String = "openai", global: String = "[]") throws -> Command {
    let files = try Files([
      "schema.json": "{}",
      "gateway.conf": """
      listeners: { public: 127.0.0.1:8080 }
      call_log: off
      plugins: \(global)
      ai:
        providers: { p: { url: "https://api.example.com/v1" } }
        models: { fast: p/gpt-4o-mini }
        prompts: { hello: { current: 1, versions: { 1: { model: fast, user: "Hello" } } } }
      routes: { models: { match: /*, plugins: [\(plugin)], ai: \(ai) } }

      """,
    ])
    return try Command(["check", "-c", files["gateway.conf"]])
  }

  private static let readers = [
    "{ mask: { response: { detect: [email] } } }", "{ transform: { response: { set: { body.x: y } } } }",
    "{ validate: { response: { schema: schema.json } } }",
  ]

  @Test(arguments: readers)
  func `who reads answers where models may stream is warned of`(_ plugin: String) throws {
    for check in [try check(plugin), try check("", global: "[\(plugin)]")] {
      #expect(check.status == 0)
      #expect(
        check.errors.contains("reads whole answers: the streams of route `models` pass it unread"), "\(check.errors)")
      #expect(check.errors.contains("`guardrails`, which filter streams too"))
    }
  }

  @Test(arguments: [
    "{ mask: { request: { detect: [email] } } }", "{ transform: { response: { set: { header.x: y } } } }",
    "{ validate: { request: { schema: schema.json } } }",
  ])
  func `who reads requests or heads is not`(_ plugin: String) throws {
    #expect(!(try check(plugin).errors.contains("unread")))
  }

  @Test func `prompts do not stream`() throws {
    #expect(!(try check(Self.readers[0], ai: "{ prompt: hello }").errors.contains("unread")))
  }
}
