import HTTP
import Kernel

/// The requests of a connection, one after another.
enum RequestReading {
  static func describe(_ bytes: [UInt8], into out: inout ByteBuffer) {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    var start = 0
    while true {
      let rest = bytes.span.extracting(start..<bytes.count)
      do throws(HTTPError) {
        guard try decoder.decode(rest, into: &head) else { return Ending.append("incomplete", to: &out) }
        var content = try Content(head.framing, Array(bytes[(start + head.length)...]))
        guard content.isComplete else { return Ending.append("incomplete", to: &out) }
        MessageSummary.append(head, rest, to: &out)
        start += head.length + content.consumed
        content.describe(endingAt: start, to: &out)
        var forwarded = ByteBuffer(capacity: 1024)
        HTTP1Encoder.head(head, from: rest, into: &forwarded)
        content.forward(chunked: head.framing == .chunked, after: &forwarded)
        Ending.appendHexadecimal(forwarded.span, to: &out)
      } catch { return Ending.append(error.reason, to: &out) }
      if !head.keepAlive { return Ending.append("close", to: &out) }
    }
  }
}

/// The responses of a connection, all to the same method.
enum ResponseReading {
  static func describe(_ bytes: [UInt8], answering method: Method, into out: inout ByteBuffer) {
    var decoder = ResponseDecoder(limits: HTTPLimits())
    var head = ResponseHead()
    var start = 0
    while true {
      let rest = bytes.span.extracting(start..<bytes.count)
      do throws(HTTPError) {
        guard try decoder.decode(rest, into: &head, answering: method) else {
          return Ending.append("incomplete", to: &out)
        }
        var content = try Content(head.framing, Array(bytes[(start + head.length)...]))
        guard content.isComplete else { return Ending.append("incomplete", to: &out) }
        MessageSummary.append(head, rest, to: &out)
        start += head.length + content.consumed
        content.describe(endingAt: start, to: &out)
        var forwarded = ByteBuffer(capacity: 1024)
        HTTP1Encoder.head(head, from: rest, into: &forwarded)
        content.forward(chunked: head.framing == .chunked || head.framing == .untilClose, after: &forwarded)
        Ending.appendHexadecimal(forwarded.span, to: &out)
      } catch { return Ending.append(error.reason, to: &out) }
      if !head.keepAlive { return Ending.append("close", to: &out) }
    }
  }
}

/// The content of one message.
struct Content: ~Copyable {
  private var decoder: BodyDecoder
  private var bytes: [UInt8]
  private var produced = 0
  private(set) var consumed = 0
  let isComplete: Bool

  init(_ framing: BodyFraming, _ bytes: [UInt8]) throws(HTTPError) {
    var decoder = BodyDecoder(framing, limits: HTTPLimits())
    var copy = bytes
    if !decoder.isDone {
      var span = copy.mutableSpan
      let step = try decoder.decode(&span)
      produced = step.produced
      consumed = step.consumed
    }
    if framing == .untilClose { try decoder.end() }
    isComplete = decoder.isDone
    self.decoder = decoder
    self.bytes = copy
  }

  mutating func describe(endingAt end: Int, to out: inout ByteBuffer) {
    out.append("\t")
    MessageSummary.escape(bytes.span.extracting(0..<produced), into: &out)
    out.append("\t")
    var trailers = ByteBuffer()
    decoder.withTrailers { headers, source in MessageSummary.append(headers, source, to: &trailers) }
    out.append(trailers.span)
    out.append("\t")
    out.append(decimal: end)
    out.append("\t")
  }

  /// Ends a forwarded head and writes the content behind it.
  mutating func forward(chunked: Bool, after head: inout ByteBuffer) {
    if chunked { head.append(HTTP1Encoder.chunked) }
    head.append(HTTP1Encoder.endOfHead)
    if chunked, produced > 0 { HTTP1Encoder.chunkHeader(produced, into: &head) }
    head.append(bytes.span.extracting(0..<produced))
    guard chunked else { return }
    if produced > 0 { head.append(HTTP1Encoder.endOfChunk) }
    head.append(HTTP1Encoder.lastChunkBeforeTrailers)
    var trailers = ByteBuffer()
    decoder.withTrailers { headers, source in headers.write(from: source, into: &trailers) }
    head.append(trailers.span)
    head.append(HTTP1Encoder.endOfHead)
  }
}

/// The ends of lines and records.
enum Ending {
  static func append(_ reason: StaticString, to out: inout ByteBuffer) {
    out.append("end|")
    out.append(reason)
    out.append("\n")
  }

  static func appendHexadecimal(_ bytes: Span<UInt8>, to out: inout ByteBuffer) {
    for index in bytes.indices { out.append(hexadecimal: UInt64(bytes[index]), digits: 2) }
    out.append("\n")
  }
}
