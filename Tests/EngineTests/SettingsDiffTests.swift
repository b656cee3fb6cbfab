import Configuration
import Testing

@testable import Engine

@Suite struct SettingsDiffTests {
  private func diff(_ old: String, _ new: String) throws -> String {
    let before = try #require(SettingsFixture.settings(old))
    return before.diff(to: try #require(SettingsFixture.settings(new)), plugins: [Stamp.declaration]).text
  }

  @Test func `nothing changes from a configuration to itself`() throws {
    for name in SettingsGoldenTests.loadable {
      let settings = try #require(SettingsFixture.load(file: name).settings)
      #expect(settings.diff(to: settings, plugins: [Stamp.declaration]).changes.isEmpty)
    }
  }

  @Test func `what changes is told by the keys that say it`() throws {
    let old = """
      admin: { address: 127.0.0.1:9900, token: hunter2 }
      limits: { idle_timeout: 60s }
      upstreams: { a: { targets: [http://127.0.0.1:1, http://127.0.0.1:2], retries: { when: reset } }, b: http://127.0.0.1:3 }
      routes: { a: { match: GET /a, upstream: a, plugins: [{ stamp: { header: x-a } }] }, gone: { match: /gone, respond: 410 } }
      """
    let new = """
      routes: { new: { match: /new, redirect: /a }, a: { match: [GET /a, POST /a], upstream: http://127.0.0.1:9, plugins: [{ stamp: { header: x-b } }] } }
      upstreams: { b: http://127.0.0.1:3, a: { targets: [http://127.0.0.1:1, http://127.0.0.1:2], retries: { when: [reset, 503] }, circuit_breaker: {} } }
      limits: { idle_timeout: 1m, headers: 50 }
      admin: { address: 127.0.0.1:9900, token: letmein }
      workers: 2
      """
    let text = try diff(old, new)
    #expect(
      text == """
        ~ admin.token: (secret), another one
        ~ limits.headers: 100 -> 50
        ~ upstreams.a.retries.when: [reset] -> [reset, 503]
        + upstreams.a.circuit_breaker: { failure_ratio: 50%, minimum_requests: 20, window: 10s, open_for: 5s, half_open_requests: 5 }
        - routes.gone: { match: [/gone], plugins: [], respond: { status: 410, headers: {}, body: "" }, priority: normal, encoded_slashes: refuse, empty_segments: merge, grpc_web: false }
        + routes.new: { match: [/new], plugins: [], redirect: { location: /a, status: 308 }, priority: normal, encoded_slashes: refuse, empty_segments: merge, grpc_web: false }
        ~ routes.a.match: [GET /a] -> [GET /a, POST /a]
        ~ routes.a.plugins: [{ stamp: { header: x-a, rate: 1/s, share: 100%, size: 0, enabled: true, names: [] } }] -> [{ stamp: { header: x-b, rate: 1/s, share: 100%, size: 0, enabled: true, names: [] } }]
        ~ routes.a.upstream: a -> http://127.0.0.1:9
        + workers: 2

        """)
  }

  @Test func `a plugin's changed secret is no text`() throws {
    let text = try diff(
      "plugins: { stamp: { header: x, secret: hunter2 } }", "plugins: { stamp: { header: x, secret: letmein } }")
    #expect(text.hasPrefix("~ plugins: "))
    #expect(!text.contains("hunter2") && !text.contains("letmein"))
  }
}
