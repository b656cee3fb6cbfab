import GatewayTesting
import Kernel
import Testing

/// Models that think before they call a tool, and want to be told again what they thought.
struct ModelThoughtTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/thoughts.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `OpenAI's and Anthropic's packages use tools of models that want their thoughts back, whole and streamed`()
    throws
  {
    let python = try #require(Self.python)
    let provider = Ports.free()
    let at = "http://127.0.0.1:\(provider)"
    let text = """
      ai:
        providers:
          c: { dialect: anthropic, url: "\(at)/claude" }
          d: { dialect: openai, url: "\(at)/deepseek" }
          g: { preset: groq, url: "\(at)/groq" }
          r: { preset: openrouter, url: "\(at)/openrouter" }
          m: { preset: mistral, url: "\(at)/mistral" }
        models: { claude: c/claude-opus-5, deepseek: d/v4, groq: g/qwen, openrouter: r/claude, mistral: m/medium }
      routes: { models: { match: /*, ai: [openai, anthropic] } }
      """
    try withGateway(text) { gateway in
      let output = gateway.directory["python"]
      let exit = try ChildProcess(
        [python, Self.script, "\(gateway.port)", "\(provider)"], output: output, errors: output
      ).wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
    }
  }
}
