import GatewayTesting
import Kernel
import Testing

/// Clients of Responses, whose provider has them itself.
struct ModelResponsesTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/stored.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `OpenAI's package has the provider's store and tools, but where guardrails read or a copy would be given`()
    throws
  {
    let python = try #require(Self.python)
    let provider = Ports.free()
    let at = "http://127.0.0.1:\(provider)"
    let text = """
      ai:
        providers:
          o: { preset: openai, url: "\(at)/v1" }
          az: { dialect: azure, url: "\(at)", api_version: "2025-04-01-preview", responses: true }
          p: { dialect: openai, url: "\(at)/p/v1" }
        models: { openai: o/gpt-5, azure: az/my-deployment, chat: p/m, busy: { model: o/busy, fallbacks: [chat] } }
        prices: { o/gpt-5: { input: 1, cached_input: 0.1, output: 10 } }
      routes:
        models: { match: /*, ai: openai }
        guarded: { match: /guarded/*, plugins: [{ guardrails: { deny: [never said], name: g } }], ai: openai }
        cached: { match: /cached/*, plugins: [{ ai_cache: { ttl: 1h, name: c } }], ai: openai }
      """
    try withGateway(text) { gateway in
      let output = gateway.directory["python"]
      let exit = try ChildProcess(
        [python, Self.script, "\(gateway.port)", "\(provider)"], output: output, errors: output
      ).wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(3)
      for record in records[..<3] {
        #expect(record["input_tokens"]?.integer == 20 && record["cached_tokens"]?.integer == 5)
        #expect(record["output_tokens"]?.integer == 7 && record["reasoning_tokens"]?.integer == 2)
        #expect(record["cost_nanousd"]?.integer == 15 * 1000 + 5 * 100 + 7 * 10_000)
        #expect(record["finish"]?.string == "stop" && record["usage"] == nil)
      }
    }
  }
}
