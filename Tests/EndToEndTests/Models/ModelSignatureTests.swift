import GatewayTesting
import Kernel
import Testing

/// Tools of models that sign their calls.
struct ModelSignatureTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/signatures.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `OpenAI's and Anthropic's packages use tools of a model that wants its signatures back`() throws {
    let python = try #require(Self.python)
    let provider = Ports.free()
    let text = """
      ai:
        providers: { g: { dialect: gemini, url: "http://127.0.0.1:\(provider)", keys: [key] } }
        models: { signing: g/gemini-3-pro }
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
