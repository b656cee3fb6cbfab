/// A message as it came over a wire.
package struct WireMessage: Sendable, Equatable {
  package struct Field: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Without its CRLF.
  package var startLine = ""
  package var fields: [Field] = []
  package var body: [UInt8] = []
  package var trailers: [Field] = []
  /// The sizes of the chunks that the body came in; empty when it was not chunked.
  package var chunks: [Int] = []

  package init() {}

  /// The values of a field, in order.
  package func values(_ name: String) -> [String] {
    let wanted = name.lowercased()
    return fields.filter { $0.name.lowercased() == wanted }.map(\.value)
  }

  /// The value of a field that is there once.
  package subscript(name: String) -> String? {
    let found = values(name)
    return found.count == 1 ? found[0] : nil
  }

  package var text: String { String(decoding: body, as: UTF8.self) }

  /// Of a response.
  package var status: Int { Int(word(1)) ?? 0 }
  /// Of a request.
  package var method: String { word(0) }
  /// Of a request.
  package var target: String { word(1) }

  private func word(_ index: Int) -> String {
    let words = startLine.split(separator: " ", omittingEmptySubsequences: false)
    return index < words.count ? String(words[index]) : ""
  }
}

/// Takes messages off a stream: strict, so that what Sluice sends is held to the letter.
package final class MessageReader: Opaque {
  private let stream: ByteStream
  private var pending: [UInt8] = []

  package init(_ stream: ByteStream) { self.stream = stream }

  /// How many bytes came that no message has taken.
  package var pendingCount: Int { pending.count }
  package var isEmpty: Bool { pending.isEmpty }

  /// The next request; nil when the peer closes instead of beginning one.
  package func request(until deadline: Deadline = .usual) throws(WireError) -> WireMessage? {
    guard var message = try requestHead(until: deadline) else { return nil }
    try readBody(of: &message, until: deadline)
    return message
  }

  package func requestHead(until deadline: Deadline = .usual) throws(WireError) -> WireMessage? {
    if pending.isEmpty, try !fill(until: deadline) { return nil }
    return try head(until: deadline)
  }

  /// Reads the content of a request whose head was read.
  package func readBody(of message: inout WireMessage, until deadline: Deadline = .usual) throws(WireError) {
    if message["Transfer-Encoding"]?.lowercased() == "chunked" {
      try readChunks(into: &message, until: deadline)
    } else if let length = message["Content-Length"].flatMap({ Int($0) }) {
      message.body = try take(length, until: deadline)
    }
  }

  /// The next response, interim ones too.
  package func response(to method: String = "GET", until deadline: Deadline = .usual) throws(WireError) -> WireMessage {
    var message = try head(until: deadline)
    let status = message.status
    if method == "HEAD" || status < 200 || status == 204 || status == 304 { return message }
    if message["Transfer-Encoding"] != nil || message["Content-Length"] != nil {
      try readBody(of: &message, until: deadline)
    } else {
      message.body = try rest(until: deadline)
    }
    return message
  }

  /// Everything up to the end of the stream.
  package func rest(until deadline: Deadline = .usual) throws(WireError) -> [UInt8] {
    while try fill(until: deadline) {}
    defer { pending = [] }
    return pending
  }

  /// Exactly so many bytes.
  package func take(_ count: Int, until deadline: Deadline = .usual) throws(WireError) -> [UInt8] {
    while pending.count < count { try require(until: deadline) }
    defer { pending.removeFirst(count) }
    return Array(pending[..<count])
  }

  /// A line without its CRLF; a bare CR or LF in it is an error.
  package func line(until deadline: Deadline = .usual) throws(WireError) -> String {
    var searched = 0
    while true {
      if let feed = pending[searched...].firstIndex(of: 0x0A) {
        let line = pending[..<feed]
        guard line.last == 0x0D, line.firstIndex(of: 0x0D) == feed - 1 else {
          throw .malformed("a line without CRLF: \(String(decoding: line, as: UTF8.self))")
        }
        pending.removeFirst(feed + 1)
        return String(decoding: line.dropLast(), as: UTF8.self)
      }
      searched = pending.count
      try require(until: deadline)
    }
  }

  private func head(until deadline: Deadline) throws(WireError) -> WireMessage {
    var message = WireMessage()
    message.startLine = try line(until: deadline)
    message.fields = try fields(until: deadline)
    return message
  }

  private func fields(until deadline: Deadline) throws(WireError) -> [WireMessage.Field] {
    var fields: [WireMessage.Field] = []
    while true {
      let line = try line(until: deadline)
      if line.isEmpty { return fields }
      guard let colon = line.firstIndex(of: ":"), colon > line.startIndex, line.first != " " else {
        throw .malformed("a field without a name: \(line)")
      }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      fields.append(.init(name: String(line[..<colon]), value: String(value)))
    }
  }

  private func readChunks(into message: inout WireMessage, until deadline: Deadline) throws(WireError) {
    while true {
      let size = try line(until: deadline)
      guard let count = Int(size.prefix { $0 != ";" }, radix: 16) else { throw .malformed("a chunk of size \(size)") }
      if count == 0 { break }
      message.body += try take(count, until: deadline)
      message.chunks.append(count)
      guard try line(until: deadline).isEmpty else { throw .malformed("a chunk without an end") }
    }
    message.trailers = try fields(until: deadline)
  }

  private func require(until deadline: Deadline) throws(WireError) {
    guard try fill(until: deadline) else { throw .ended(String(decoding: pending, as: UTF8.self)) }
  }

  /// Reads once; false at the end of the stream.
  private func fill(until deadline: Deadline) throws(WireError) -> Bool {
    let bytes = try stream.read(until: deadline)
    pending += bytes
    return !bytes.isEmpty
  }
}
