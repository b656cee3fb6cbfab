import AI
import GatewayTesting
import Kernel

/// Feeds dialects from text and reads what they write.
enum Wire {
  /// A stream as the client gets it, from the provider's octets in these pieces.
  static func stream(_ pieces: [[UInt8]], _ request: ProviderRequest, ends: Bool = true) -> String {
    var answer = ProviderAnswer(request, head: AnswerHead(id: "id-1", model: "asked-for", created: 1_700_000_000))
    return stream(pieces, &answer, ends: ends)
  }

  static func stream(_ pieces: [[UInt8]], _ answer: inout ProviderAnswer, ends: Bool = true) -> String {
    var out = ByteBuffer()
    for piece in pieces { answer.take(piece.span, into: &out) }
    if ends { answer.end(into: &out) }
    return text(out)
  }

  static func stream(_ text: String, _ request: ProviderRequest) -> String {
    stream([Array(text.utf8)], request)
  }

  static func text(_ buffer: borrowing ByteBuffer) -> String {
    let span = buffer.span
    return String(decoding: span.indices.map { span[$0] }, as: UTF8.self)
  }

  /// A whole answer as the client gets it.
  static func answer(_ text: String, _ request: ProviderRequest, status: Int = 200) -> (status: Int, body: String) {
    var answer = ProviderAnswer(request, head: AnswerHead(id: "id-1", model: "asked-for", created: 1_700_000_000))
    return whole(text, &answer, status: status)
  }

  static func whole(_ text: String, _ answer: inout ProviderAnswer, status: Int = 200) -> (status: Int, body: String) {
    var out = ByteBuffer()
    let status = answer.translate(Array(text.utf8), status: status, into: &out)
    return (status, Self.text(out))
  }

  static func request(
    _ front: Front, _ body: String, to back: Back, model: String = "the-model",
    variant: ChatVariant = ChatVariant(), unsupported: ProviderRequest.Unsupported = .refuse
  ) throws(Refusal) -> ProviderRequest {
    let path: (String, Bool)? = front == .generate ? ("the-alias", true) : nil
    return try ModelRequest(front, body: Array(body.utf8), path: path).prepare(
      for: back, model: model, variant: variant, unsupported: unsupported)
  }

  static func body(_ request: ProviderRequest) -> String { String(decoding: request.body, as: UTF8.self) }

  /// The events of a stream: name and data. The stream must be whole events.
  static func events(_ text: String) -> [(name: String, data: String)] {
    text.components("\n\n").filter { !$0.isEmpty && !$0.hasPrefix(":") }.map { block in
      var (name, data) = ("", "")
      for line in block.split(separator: "\n") {
        if line.hasPrefix("event: ") { name = String(line.dropFirst(7)) }
        if line.hasPrefix("data: ") { data = String(line.dropFirst(6)) }
      }
      return (name, data)
    }
  }
}

extension String {
  /// Without what only makes JSON readable: line feeds and the spaces that begin lines.
  var compact: String {
    split(separator: "\n").map { String($0.drop { $0 == " " }) }.joined()
  }

  /// With LF for every end of a line: an event's last octet may come after the event was passed on.
  var unixLines: String { components("\r\n").joined(separator: "\n").components("\r").joined(separator: "\n") }

  func components(_ separator: String) -> [String] {
    var parts: [String] = []
    var rest = self[...]
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = rest[range.upperBound...]
    }
    parts.append(String(rest))
    return parts
  }

  /// As a provider may write line ends.
  func withLineEnds(_ end: String) -> String { components("\n").joined(separator: end) }
}
