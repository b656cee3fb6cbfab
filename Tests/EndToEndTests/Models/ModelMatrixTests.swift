import GatewayTesting
import Kernel
import Testing

/// The official packages as clients of models of every dialect.
struct ModelMatrixTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let folder = #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 }

  @Test(
    .enabled(if: python != nil, "`make test` makes the Python environment"),
    arguments: ["openai", "azure", "anthropic", "gemini", "bedrock"])
  func `every client has texts, tools, pictures, schemas, streams and errors of every provider`(_ provider: String)
    throws
  {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let models = try ChildProcess(
      [python, Self.folder + "/providers.py"], output: directory["port"], errors: directory["errors"])
    defer { models.kill() }
    var port = 0
    #expect(
      Deadline.usual.poll {
        port = (try? directory.read("port")).flatMap { Int($0.filter(\.isNumber)) } ?? 0
        return port > 0
      }, "\((try? directory.read("errors")) ?? "")")
    let text = """
      ai:
        providers:
          openai: { dialect: openai, url: "http://127.0.0.1:\(port)/v1" }
          azure: { dialect: azure, url: "http://127.0.0.1:\(port)", api_version: "2024-10-21", keys: ["${ID}"] }
          anthropic: { dialect: anthropic, url: "http://127.0.0.1:\(port)" }
          gemini: { dialect: gemini, url: "http://127.0.0.1:\(port)" }
          bedrock: { dialect: bedrock, url: "http://127.0.0.1:\(port)", region: eu-central-1, access_key: "${ID}", secret_key: "${ID}" }
      routes: { models: { match: /*, ai: { accept: [openai, anthropic, gemini] } } }
      """
    var plan = RunningGateway.Plan()
    plan.environment = [("ID", "AKIDEXAMPLE")]
    try withGateway(text, plan) { try run($0, [python, Self.folder + "/matrix.py", "\($0.port)", provider]) }
  }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  func `a provider that others wrote is understood, and what it breaks is never taken for an answer`() throws {
    let python = try #require(Self.python)
    let port = Ports.free()
    let text = """
      ai:
        providers:
          openai: { dialect: openai, url: "http://127.0.0.1:\(port)/v1" }
          anthropic: { dialect: anthropic, url: "http://127.0.0.1:\(port)/anthropic" }
          gemini: { dialect: gemini, url: "http://127.0.0.1:\(port)/gemini" }
          mistral: { dialect: openai, url: "http://127.0.0.1:\(port)/mistral/v1" }
      routes: { models: { match: /*, ai: { accept: [openai, anthropic] } } }
      """
    try withGateway(text) { try run($0, [python, Self.folder + "/opinion.py", "\($0.port)", "\(port)"]) }
  }

  private func run(_ gateway: RunningGateway, _ command: [String]) throws {
    let output = gateway.directory["python"]
    let exit = try ChildProcess(command, output: output, errors: output).wait(until: .after(seconds: 90))
    #expect(exit == .exited(0), "\((try? gateway.directory.read("python")) ?? "")")
  }
}
