import GatewayTesting
import Testing

/// What `check` says of prompts that are wrong, and `explain` of those that are right.
struct PromptCheckTests {
  private func run(_ version: String, _ arguments: [String] = ["check"], prompt: String = "triage") throws -> Command {
    let files = try Files([
      "gateway.conf": """
      listeners: { public: 127.0.0.1:8080 }
      call_log: off
      ai:
        providers: { p: { url: "https://api.example.com/v1" } }
        models: { fast: p/m }
        prompts:
          triage:
            current: 1
            versions: { 1: \(version) }
      routes:
        triage: { match: [POST /ai/triage, "POST /ai/triage@{version}"], ai: { prompt: \(prompt) } }
        described: { match: GET /ai/openapi.json, ai: { openapi: true } }

      """
    ])
    return try Command(arguments + ["-c", files["gateway.conf"]])
  }

  @Test(arguments: [
    (#"{ model: fast, user: "{{txet}}", inputs: { text: string } }"#, "there is no input `txet`", "text"),
    (#"{ model: fast, user: "{{text}}" }"#, "there is no input `text`", "`inputs: { text: string }`"),
    (#"{ model: fast, user: "{{text", inputs: { text: string } }"#, "{{", "text"),
    (#"{ model: fast, user: "{{#text}}", inputs: { text: string } }"#, "text", "text"),
    (#"{ model: fats, user: x }"#, "there is no model `fats`", "fast"),
    (#"{ model: q/m, user: x }"#, "there is no provider `q`", "one of p"),
    (#"{ model: fast, user: x, temperature: 3 }"#, "temperature", "a number from 0 to 2"),
    (#"{ model: fast, user: x, output: { schema: nowhere.json } }"#, "nowhere.json", "schema"),
    (#"{ model: fast, user: x, output: { schema: { type: 7 } } }"#, "type", "schema"),
    (
      #"{ model: fast, user: "{{n}}", inputs: { n: { type: integer, maximum: 2KiB } } }"#,
      "`2KiB` is no maximum of a integer", "a whole number"
    ),
    (
      #"{ model: fast, user: "{{n}}", inputs: { n: { type: integer, choices: [a] } } }"#, "only texts have `choices`",
      "type: string"
    ),
    (
      #"{ model: fast, user: "{{t}}", inputs: { t: { type: string, choices: [a], default: b } } }"#,
      "the default is not what the input `t` takes", "a string that is"
    ),
    (#"{ model: fast, user: "{{t}}", inputs: { t: txet } }"#, "txet", "string"),
  ])
  func `a wrong prompt is told with its place and what to write`(_ version: String, _ mistake: String, _ help: String)
    throws
  {
    let check = try run(version)
    #expect(check.status == 1)
    #expect(check.errors.contains("error:") && check.errors.contains(mistake), "\(check.errors)")
    #expect(check.errors.contains(help) && check.errors.contains("gateway.conf:9:"), "\(check.errors)")
  }

  @Test func `an input that no template uses is a warning, and a prompt that is not there a mistake`() throws {
    let unused = try run(#"{ model: fast, user: x, inputs: { text: string } }"#)
    #expect(unused.status == 0 && unused.errors.contains("no template of this version uses the input `text`"))
    let gone = try run("{ model: fast, user: x }", prompt: "triaje")
    #expect(gone.status == 1 && gone.errors.contains("triaje") && gone.errors.contains("triage"), "\(gone.errors)")
  }

  @Test(arguments: ["/ai/triage", "/ai/triage@1"])
  func `explain says which prompt answers`(_ path: String) throws {
    let version = #"{ model: fast, user: "{{text}}", inputs: { text: string } }"#
    let text = try run(version, ["explain", "POST", path, "-d", #"{"text":"x"}"#])
    #expect(text.status == 0 && text.output.contains("prompt triage"), "\(text.output)")
    let json = try run(version, ["explain", "POST", path, "--json"]).json()
    #expect(json["route"]?["name"]?.string == "triage" || json["route"] != nil)
    #expect(try run(version, ["explain", "POST", path, "--json"]).output.contains(#""prompt":"triage""#))
  }
}
