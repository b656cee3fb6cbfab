import GatewayTesting
import Kernel
import Testing

/// The official packages of OpenAI, Anthropic, Google and Mistral ask the demo's stand-in through the gateway.
struct ModelSDKTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/sdks.py"

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `official clients chat, stream and use tools`() throws {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let port = Ports.free()
    let environment = ["BACKEND_A", "BACKEND_B", "BACKEND_C"].map { ($0, "\(Ports.free())") }
    let demo = try ChildProcess(
      [RunningGateway.program, "demo"], environment: environment + [("MODEL_STAND_IN", "\(port)")],
      output: directory["demo"])
    defer { demo.kill() }
    #expect(Deadline.usual.poll { (try? directory.read("demo"))?.contains("model-stand-in on") == true })
    let text = """
      ai:
        providers: { demo: { dialect: openai, url: "http://127.0.0.1:\(port)/v1" } }
        models: { fast: { model: demo/stand-in }, busy: { model: demo/stand-in-busy } }
        prices: { demo/stand-in: { input: 0.15, output: 0.6 } }
      routes: { models: { match: /*, ai: { accept: [openai, anthropic, gemini] } } }
      """
    try withGateway(text) { gateway in
      let output = gateway.directory["python"]
      let clients = try ChildProcess([python, Self.script, "\(gateway.port)"], output: output, errors: output)
      let exit = try clients.wait(until: .after(seconds: 60))
      #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
      let records = try gateway.awaitRecords(60)
      let answered = records.filter {
        $0["model"]?.string == "fast" && $0["status"]?.integer == 200 && $0["path"]?.string?.contains("mbed") == false
      }
      #expect(answered.count >= 48)
      for record in answered {
        let input = try #require(record["input_tokens"]?.integer)
        let output = try #require(record["output_tokens"]?.integer)
        #expect(record["cost_nanousd"]?.integer == input * 150 + output * 600)
        #expect(record["first_token_us"] != nil && record["finish"] != nil)
      }
    }
  }
}
