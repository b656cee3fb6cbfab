import GatewayTesting
import Kernel
import Testing

/// Calls of Bedrock, whose stand-in checks signatures and requests with `botocore`.
struct BedrockProviderTests {
  private static let python = ProcessEnvironment.value("SLUICE_TEST_PYTHON")
  private static let script =
    #filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/bedrock.py"

  private func ask(_ model: String, _ text: String, stream: Bool = false) -> String {
    #"{"model":"\#(model)","max_tokens":9,"messages":[{"role":"user","content":"\#(text)"}],"stream":\#(stream)}"#
  }

  private func post(_ gateway: RunningGateway, _ path: String, _ body: String) throws -> WireMessage {
    let client = try gateway.connect()
    try client.send("POST \(path) HTTP/1.1", ["Host: a", "Content-Length: \(body.utf8.count)"], body: body)
    return try client.response(to: "POST")
  }

  @Test(.enabled(if: python != nil, "`make test` makes the Python environment"))
  // long: one stand-in for all that is asked of it
  func `botocore agrees with what is sent and what is understood`() throws {
    let python = try #require(Self.python)
    let directory = try TemporaryDirectory()
    let provider = try ChildProcess([python, Self.script], output: directory["port"], errors: directory["errors"])
    defer { provider.kill() }
    var port = 0
    #expect(
      Deadline.usual.poll {
        port = (try? directory.read("port")).flatMap { Int($0.filter(\.isNumber)) } ?? 0
        return port > 0
      }, "\((try? directory.read("errors")) ?? "")")
    let text = """
      ai:
        providers:
          bedrock: { dialect: bedrock, url: "http://127.0.0.1:\(port)", region: eu-central-1, access_key: "${ID}", secret_key: "${SECRET}", session_token: "${TOKEN:-}" }
          wrong: { dialect: bedrock, url: "http://127.0.0.1:\(port)", region: eu-central-1, access_key: "${ID}", secret_key: "${ID}" }
        models: { fast: bedrock/anthropic.claude-3-5-sonnet-20240620-v1:0, bad: wrong/x }
      routes: { models: { match: /*, ai: [openai, anthropic] } }
      """
    var plan = RunningGateway.Plan()
    plan.environment = [
      ("ID", "AKIDEXAMPLE"), ("SECRET", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), ("TOKEN", "token+of/the=session"),
    ]
    try withGateway(text, plan) { gateway in
      for path in ["/v1/chat/completions", "/v1/messages"] {
        let whole = try post(gateway, path, ask("fast", "Zürich 😀"))
        #expect(whole.status == 200 && whole.text.contains("anthropic.claude-3-5-sonnet-20240620-v1:0: Zürich 😀"))
        let stream = try post(gateway, path, ask("fast", "ab", stream: true))
        #expect(stream.text.contains(path == "/v1/messages" ? "message_stop" : "[DONE]"), "\(stream.text)")
        let broken = try post(gateway, path, ask("fast", "break", stream: true))
        #expect(broken.text.contains("Slow down") && !broken.text.contains("message_stop"))
        // An ARN has slashes and colons, which a path must not show.
        let name = "bedrock/arn:aws:bedrock:eu-central-1:1234:inference-profile/eu.x-v1:0"
        let profile = try post(gateway, path, ask(name, "Hi"))
        #expect(profile.text.contains("inference-profile/eu.x-v1:0: Hi"), "\(profile.text)")
        let limited = try post(gateway, path, ask("fast", "limit"))
        #expect(limited.status == 429)
        let refused = try post(gateway, path, ask("bad", "Hi"))
        #expect(refused.status == 403 && refused.text.contains("permission_error"))
      }
      let kept = ask("fast", "Hi").replacing(
        #""content":"Hi""#, with: #""content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral"}}]"#)
      let thinking = kept.replacing(
        #""max_tokens":9"#, with: #""max_tokens":4096,"top_k":5,"thinking":{"type":"enabled","budget_tokens":2048}"#)
      for body in [kept, thinking] {
        let answer = try post(gateway, "/v1/messages", body)
        #expect(answer.status == 200, "\(answer.text)")
      }
      let record = try gateway.awaitRecords(1)[0]
      #expect(record["input_tokens"]?.integer == 5 && record["output_tokens"]?.integer == 4)
      #expect(!"\(record)".contains("EXAMPLE"))
    }
  }
}
