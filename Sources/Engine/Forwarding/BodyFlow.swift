// long: one direction of a body is one state machine, whose steps share its fields.
import Foreign
import HTTP
import Kernel
import PluginKit
import Runtime

/// One direction of a body: bytes are read from one socket, decoded in place, framed anew and sent to the other.
///
/// One buffer at a time: nothing is read before what was read is sent, which is all the back-pressure there is. The
/// buffer goes back to its pool whenever the source has nothing, so that a silent stream costs no memory.
struct BodyFlow: ~Copyable {
  /// How the body is framed on the way out.
  enum Framing { case plain, chunked }

  enum Failure: Error {
    case malformed(HTTPError)
    /// The source ended before the body did.
    case truncated
    case sourceFailed
    case sinkFailed
    case tooLarge
    /// The content is not in the coding that its type says.
    case undecodable
    /// Who reads along does not let it pass.
    case refused
  }

  private var decoder: BodyDecoder
  private var buffer = IOBuffer()
  private var isLarge = false
  private(set) var framing = Framing.plain
  private var coding = BodyCoding.none
  /// Puts content into a content coding; nil: it stays as it is.
  private var encoder: BodyEncoder?
  /// Gets the content as it came; nil: nobody does.
  private var recorder: BodyRecorder?
  private var base64 = Base64Decoder()
  /// Rewritten content that waits for the sink, and how much of it has been sent.
  private var coded = ByteBuffer(capacity: 16)
  private var codedSent = 0
  private var endsWithSource = false
  private var tailPending = false
  /// Bytes of content that have come from the source.
  private(set) var received = 0
  /// Bytes that went to the sink, framing included.
  private var sent = 0
  /// Those of them, and of what waits to be sent, that are framing.
  private var framed = 0
  /// Bytes of content that went to the sink; may lack a few while a frame is under way.
  var contentSent: Int { max(0, sent - framed) }
  /// Content beyond this many bytes is a failure.
  var limit = Int.max
  /// The source has delivered the whole body.
  private(set) var sourceDone = true
  /// Everything has been sent.
  private(set) var finished = true
  /// Gets all that goes to the sink after the head; nil: nobody does.
  var copy: RequestCopy?
  /// Bytes that followed the body in the same read: the next request of a pipeline.
  private(set) var surplus = ByteBuffer(capacity: 16)

  init(limits: HTTPLimits) {
    decoder = BodyDecoder(.none, limits: limits)
  }

  mutating func reset() {
    received = 0
    sent = 0
    framed = 0
    limit = .max
    sourceDone = true
    finished = true
    tailPending = false
    surplus.removeAll()
    if copy != nil { copy = nil }
    if coding.isText || encoder != nil { coded = ByteBuffer(capacity: 16) }
    coding = .none
    if encoder != nil { encoder = nil }
    if recorder != nil { recorder = nil }
  }

  mutating func begin(
    _ source: BodyFraming, framing: Framing, coding: BodyCoding = .none, encoder: BodyEncoder? = nil,
    recorder: BodyRecorder? = nil
  ) {
    decoder.begin(source)
    self.framing = framing
    self.coding = coding
    self.encoder = encoder
    self.recorder = recorder
    base64 = Base64Decoder()
    coded.removeAll()
    codedSent = 0
    received = 0
    sent = 0
    framed = 0
    surplus.removeAll()
    tailPending = false
    endsWithSource = source == .untilClose
    sourceDone = source == .none || source == .length(0)
    if sourceDone { recorder?.finish() }
    finished = sourceDone
    // A chunked request may be followed by the next one: then what is left over must fit the input buffer.
    if case .chunked = source { isLarge = false } else { isLarge = true }
  }

  /// Decodes what came along with the head, appends it framed to `out`, and moves `input` behind it.
  ///
  /// - Returns: how many bytes of framing that appended.
  mutating func takePrefix(of input: inout IOBuffer, into out: inout ByteBuffer) throws(Failure) -> Int {
    guard !sourceDone, !input.isEmpty else { return 0 }
    let before = out.count
    let step = try decode(&input)
    var written = step.produced
    let content = step.start..<step.start + step.produced
    if let recorder {
      recorder.append(input.readable.extracting(content))
      if step.done { recorder.finish() }
    }
    if let encoder {
      written = encoder.encode(input.readable.extracting(content), step.done ? .end : .none, framing, into: &out)
    } else if step.produced > 0 {
      try Self.append(input.readable.extracting(content), coding, framing, &base64, to: &out)
    }
    input.advance(step.consumed)
    if step.done {
      endContent()
      if !base64.isComplete { throw .undecodable }
      finished = true
      if tailPending { appendTail(to: &out) }
      tailPending = false
    }
    return out.count - before - written
  }

  /// Moves what can be moved now; returns whether anything was.
  mutating func advance(
    from source: Transport, to sink: Transport, small: BufferPool, large: BufferPool
  ) throws(Failure) -> Bool {
    var moved = false
    while !finished {
      while !buffer.isEmpty {
        guard sink.isWritable else { return moved }
        let result = sink.send(buffer.readable)
        if result.wouldBlock { return moved }
        if result.isError { throw .sinkFailed }
        buffer.consume(result.count)
        sent += result.count
        moved = true
      }
      while codedSent < coded.count {
        guard sink.isWritable else { return moved }
        let result = sink.send(coded.span.extracting(codedSent..<coded.count))
        if result.wouldBlock { return moved }
        if result.isError { throw .sinkFailed }
        codedSent += result.count
        sent += result.count
        moved = true
      }
      if tailPending {
        tailPending = false
        writeTail(small: small, large: large)
        if let copy { copy.append(buffer.readable) }
      } else if sourceDone {
        finished = true
      } else {
        guard try read(from: source, small: small, large: large) || flush() else { break }
        if let copy {
          copy.append(buffer.readable)
          copy.append(coded.span)
        }
        moved = true
      }
    }
    returnBuffer(small: small, large: large)
    return moved
  }

  /// Appends what the source has of the content to `out`, without framing, until there is no more or `out` is longer
  /// than `limit`; returns whether anything came. It was begun plain.
  mutating func gather(
    from source: Transport, into out: inout ByteBuffer, limit: Int, small: BufferPool, large: BufferPool
  ) throws(Failure) -> Bool {
    var moved = false
    while !sourceDone, out.count <= limit, source.isReadable {
      buffer.lease(from: isLarge ? large : small)
      buffer.removeAll()
      if try !fill(from: source) { break }
      Self.append(buffer, 0..<buffer.count, to: &out)
      buffer.removeAll()
      moved = true
    }
    returnBuffer(small: small, large: large)
    finished = sourceDone
    return moved
  }

  /// Appends what was gathered as it goes out, for a body that is passed on after all, and frames the rest so too.
  ///
  /// - Returns: how many bytes of framing that appended.
  mutating func passOn(
    _ gathered: Span<UInt8>, framing: Framing, encoder: BodyEncoder? = nil, into out: inout ByteBuffer
  ) -> Int {
    self.framing = framing
    self.encoder = encoder
    let before = out.count
    var written = gathered.count
    if let encoder {
      written = encoder.encode(gathered, sourceDone ? .end : .none, framing, into: &out)
    } else if !gathered.isEmpty {
      Self.append(gathered, framing, to: &out)
    }
    tailPending = sourceDone && framing == .chunked
    finished = sourceDone && !tailPending
    return out.count - before - written
  }

  /// Shows the fields behind the body, when there are any.
  mutating func withTrailers(_ body: (inout HeaderBlock, Span<UInt8>) -> Void) { decoder.withTrailers(body) }

  /// Gives up: the sink is gone, and what the source still has is not wanted.
  mutating func abandon(small: BufferPool, large: BufferPool) {
    returnBuffer(small: small, large: large)
    tailPending = false
    finished = true
  }

  /// Whether it waits for the sink rather than for the source.
  var waitsForSink: Bool { !buffer.isEmpty || codedSent < coded.count }

  /// Moves what followed the body to the end of `input`, which has room for it.
  mutating func moveSurplus(to input: inout IOBuffer) {
    guard !surplus.isEmpty else { return }
    _ = input.append(surplus.span)
    surplus.removeAll()
  }

  mutating func returnBuffer(small: BufferPool, large: BufferPool) { buffer.return(to: isLarge ? large : small) }

  private mutating func read(
    from source: Transport, small: BufferPool, large: BufferPool
  ) throws(Failure) -> Bool {
    guard source.isReadable else { return false }
    buffer.lease(from: isLarge ? large : small)
    buffer.removeAll()
    return try fill(from: source)
  }

  /// Reads once and frames what came; false when nothing is there.
  private mutating func fill(from source: Transport) throws(Failure) -> Bool {
    let result = source.receive(into: &buffer)
    if result.wouldBlock { return false }
    if result.isError { throw .sourceFailed }
    if result.isEnd {
      guard endsWithSource else { throw .truncated }
      endContent()
      if let encoder { encode(encoder, .end) }
      return true
    }
    let count = buffer.count
    let step = try account(Self.decode(&decoder, &buffer))
    if step.consumed < count { Self.append(buffer, step.consumed..<count, to: &surplus) }
    buffer.advance(step.start)
    buffer.truncate(to: step.produced)
    if let recorder {
      Self.append(buffer, to: recorder)
      if step.done { recorder.finish() }
      if recorder.refuses { throw .refused }
    }
    if step.done { endContent() }
    if coding.isText { return try rewrite() }
    if let encoder {
      encode(encoder, sourceDone ? .end : .none)
      return true
    }
    if framing == .chunked, step.produced > 0 { frame() }
    return true
  }

  private mutating func endContent() {
    sourceDone = true
    tailPending = framing == .chunked || coding.framesTrailers
  }

  /// The source rests: what the coding still holds back goes out, so that its reader need not wait for more.
  private mutating func flush() -> Bool {
    guard let encoder, encoder.isBehind, !sourceDone else { return false }
    buffer.removeAll()
    encode(encoder, .sync)
    return true
  }

  /// Puts what was read into `coded`, in its content coding and framed.
  private mutating func encode(_ encoder: BodyEncoder, _ flush: ContentEncoder.Flush) {
    coded.removeAll()
    codedSent = 0
    let content = Self.encode(buffer, encoder, flush, framing, into: &coded)
    buffer.removeAll()
    if tailPending, !decoder.hasTrailers {
      coded.append(HTTP1Encoder.lastChunk)
      tailPending = false
    }
    framed += coded.count - content
  }

  private static func encode(
    _ buffer: borrowing IOBuffer, _ encoder: BodyEncoder, _ flush: ContentEncoder.Flush, _ framing: Framing,
    into out: inout ByteBuffer
  ) -> Int {
    encoder.encode(buffer.readable, flush, framing, into: &out)
  }

  /// Rewrites what was read into `coded`.
  private mutating func rewrite() throws(Failure) -> Bool {
    coded.removeAll()
    codedSent = 0
    try Self.append(buffer, coding, framing, &base64, to: &coded)
    buffer.removeAll()
    if sourceDone, !base64.isComplete { throw .undecodable }
    return true
  }

  private static func append(
    _ buffer: borrowing IOBuffer, _ coding: BodyCoding, _ framing: Framing, _ base64: inout Base64Decoder,
    to out: inout ByteBuffer
  ) throws(Failure) {
    try append(buffer.readable, coding, framing, &base64, to: &out)
  }

  /// Appends content as it goes out: rewritten and framed.
  private static func append(
    _ content: Span<UInt8>, _ coding: BodyCoding, _ framing: Framing, _ base64: inout Base64Decoder,
    to out: inout ByteBuffer
  ) throws(Failure) {
    if coding == .none || coding == .trailersInBody { return append(content, framing, to: &out) }
    var text = ByteBuffer(capacity: content.count)
    if coding == .toText {
      Base64.append(content, to: &text)
    } else if !base64.decode(content, into: &text) {
      throw .undecodable
    }
    if !text.isEmpty { append(text.span, framing, to: &out) }
  }

  /// Appends content, as a chunk where the body goes out in chunks.
  static func append(_ content: Span<UInt8>, _ framing: Framing, to out: inout ByteBuffer) {
    if framing == .chunked { HTTP1Encoder.chunkHeader(content.count, into: &out) }
    out.append(content)
    if framing == .chunked { out.append("\r\n") }
  }

  private mutating func decode(_ input: inout IOBuffer) throws(Failure) -> BodyStep {
    try account(Self.decode(&decoder, &input))
  }

  private mutating func account(_ step: BodyStep) throws(Failure) -> BodyStep {
    received += step.produced
    if received > limit { throw .tooLarge }
    return step
  }

  private static func decode(
    _ decoder: inout BodyDecoder, _ buffer: inout IOBuffer
  ) throws(Failure) -> BodyStep {
    var bytes = buffer.mutableReadable
    do { return try decoder.decodeInPlace(&bytes) } catch { throw .malformed(error) }
  }

  private static func append(_ buffer: borrowing IOBuffer, _ range: Range<Int>, to out: inout ByteBuffer) {
    out.append(buffer.readable.extracting(range))
  }

  private static func append(_ buffer: borrowing IOBuffer, to recorder: BodyRecorder) {
    recorder.append(buffer.readable)
  }

  /// Writes the chunk's frame around the data, into the buffer's margins, and the last chunk when it fits there too.
  private mutating func frame() {
    var header = ByteBuffer(capacity: 24)
    HTTP1Encoder.chunkHeader(buffer.count, into: &header)
    buffer.prepend(header.span)
    framed += header.count
    header.removeAll()
    header.append("\r\n")
    if tailPending, !decoder.hasTrailers {
      header.append("0\r\n\r\n")
      tailPending = false
    }
    buffer.appendIntoMargin(header.span)
    framed += header.count
  }

  private mutating func writeTail(small: BufferPool, large: BufferPool) {
    var tail = ByteBuffer(capacity: 256)
    appendTail(to: &tail)
    buffer.lease(from: isLarge ? large : small)
    buffer.removeAll()
    _ = buffer.append(tail.span)
    framed += tail.count
  }

  /// The last chunk with the trailers.
  private mutating func appendTail(to out: inout ByteBuffer) {
    var lines = ByteBuffer(capacity: 16)
    decoder.withTrailers { headers, source in headers.write(from: source, into: &lines) }
    if coding.framesTrailers {
      if !lines.isEmpty {
        var frame = ByteBuffer(capacity: lines.count + 8)
        BodyCoding.appendTrailers(lines.span, asText: coding == .toText, to: &frame)
        Self.append(frame.span, framing, to: &out)
      }
      if framing == .chunked { out.append(HTTP1Encoder.lastChunk) }
      return
    }
    out.append(HTTP1Encoder.lastChunkBeforeTrailers)
    out.append(lines.span)
    out.append(HTTP1Encoder.endOfHead)
  }
}
