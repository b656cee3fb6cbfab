import GatewayTesting
import Kernel
import Testing

@testable import AI

/// Forms with a file in them, of which only the model must be known.
struct FormTests {
  private static let type = "multipart/form-data; boundary=\"X-b\""

  private func part(_ name: String, _ text: String, file: Bool = false) -> String {
    let more = file ? "; filename=\"a.mp3\"\r\nContent-Type: audio/mpeg" : ""
    return "--X-b\r\nContent-Disposition: form-data; name=\"\(name)\"\(more)\r\n\r\n\(text)\r\n"
  }

  private func read(_ text: String, cut: Int = .max) throws -> FormReader {
    var reader = try #require(FormReader(contentType: Self.type))
    let bytes = Array(text.utf8)
    let (head, tail) = (Array(bytes[..<min(cut, bytes.count)]), Array(bytes[min(cut, bytes.count)...]))
    try reader.take(head.span)
    try reader.take(tail.span)
    return reader
  }

  private var usual: String {
    part("file", "\u{0}ID3\r\n--X-\r\n--Y", file: true) + part("model", "whisper-1") + part("prompt", "Say ü")
      + "--X-b--\r\n"
  }

  @Test func `the model and the texts are found, wherever the form is cut`() throws {
    for cut in 0...usual.utf8.count {
      let reader = try read(usual, cut: cut)
      #expect(reader.fields.map(\.name) == ["model", "prompt"] && reader.fields[1].text == "Say ü", "cut at \(cut)")
      let model = try #require(reader.model)
      #expect(String(decoding: Array(usual.utf8)[model], as: UTF8.self) == "whisper-1")
      #expect(reader.isComplete && reader.isSufficient)
    }
    var reader = try #require(FormReader(contentType: Self.type))
    for octet in usual.utf8 { try reader.take([octet].span) }
    #expect(reader.isComplete && reader.fields.count == 2)
  }

  @Test func `a file that comes last need not be waited for`() throws {
    let texts = part("model", "m") + part("language", "de")
    #expect(try !read(texts).isSufficient)
    let reader = try read(texts + part("file", "abc", file: true))
    #expect(reader.isSufficient && !reader.isComplete && reader.fields.count == 2)
    #expect(try !read(part("file", "abc", file: true)).isSufficient)
  }

  @Test(
    arguments: [
      (
        "--X-b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\na\r\n--X-b\r\nContent-Disposition: form-data; name=model\r\n\r\nb\r\n--X-b--",
        "model"
      ),
      ("--X-b\r\nContent-Disposition: form-data; name=\"model\"; filename=\"x\"\r\n\r\na\r\n--X-b--", "model"),
      ("--X-b\r\nContent-Disposition: form-data; name=\"a\"; name=\"model\"\r\n\r\na\r\n--X-b--", nil),
      ("--X-b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=model\r\n\r\n", nil),
      ("--X-b\r\nContent-Type: text/plain\r\n\r\na\r\n--X-b--", nil), ("--X-bc\r\n", nil), ("--X-b\n--", nil),
      ("--X-b\r\nContent-Disposition: form-data; name=a\rb", nil),
    ] as [(String, String?)])
  func `what two readers could read differently is refused`(_ text: String, _ field: String?) {
    do {
      _ = try read(text)
      Issue.record("it was read")
    } catch { #expect((error as? Refusal)?.field == field) }
  }

  @Test func `heads and texts have a length`() throws {
    #expect(throws: Refusal.self) { try read("--X-b\r\n" + String(repeating: "a", count: 20_000)) }
    #expect(throws: Refusal.self) { try read(part("a", String(repeating: "a", count: 1_100_000))) }
    #expect(try read(part("a", String(repeating: "a", count: 3_000_000), file: true)).fields.isEmpty)
  }

  @Test(arguments: [
    "multipart/form-data", "multipart/mixed; boundary=a", "multipart/form-data; boundary=", "text/plain",
    "multipart/form-data; boundary=a; boundary=b",
  ])
  func `what is no form is not read`(_ type: String) { #expect(FormReader(contentType: type) == nil) }

  @Test func `the provider's name of the model takes the place of the client's, and nothing else changes`() throws {
    let operation = try #require(PassedOperation.all.first { $0.path == "/audio/transcriptions" })
    let asked = try ModelRequest(try read(usual), Array(usual.utf8), operation)
    #expect(asked.model == "whisper-1" && asked.userTexts == ["Say ü"] && asked.inputTokens > 1000)
    let request = try asked.prepare(for: .openai, model: "gpt-4o-transcribe")
    #expect(Wire.body(request) == usual.replacing("whisper-1", with: "gpt-4o-transcribe"))
    #expect(request.formPrefix == usual.utf8.count)
    #expect(throws: Refusal.self) { try asked.prepare(for: .gemini, model: "m") }
    let without = part("prompt", "x") + "--X-b--"
    #expect(throws: Refusal("model", "`model` is missing.")) {
      try ModelRequest(try read(without), Array(without.utf8), operation)
    }
  }

  @Test func `what an answer says of tokens is read in the words of each`() throws {
    let operation = try #require(PassedOperation.all.first { $0.path == "/audio/transcriptions" })
    let asked = try ModelRequest(try read(usual), Array(usual.utf8), operation).prepare(for: .openai, model: "m")
    var answer = ProviderAnswer(asked, head: AnswerHead())
    var out = ByteBuffer()
    // https://platform.openai.com/docs/api-reference/audio/createTranscription
    let said =
      #"{"text":"Imagine the wildest idea","usage":{"type":"tokens","input_tokens":14,"input_token_details":{"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}}"#
    #expect(answer.translate(Array(said.utf8), status: 200, into: &out) == 200)
    #expect(answer.usage == Usage(input: 14, output: 45) && Wire.text(out) == said)
  }
}
