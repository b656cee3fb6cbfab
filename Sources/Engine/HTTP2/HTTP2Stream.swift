// long: both directions of a stream share its state, which nothing else may touch.

import Foreign
import HTTP
import Kernel
import Runtime

/// One stream of an HTTP/2 connection as a transport of HTTP/1.1 octets.
///
/// The engine speaks one language. What the peer's frames say is put down as the equivalent HTTP/1.1 message, to be
/// read with `receive`; what the engine sends is taken apart and becomes frames. Content in either direction is
/// bounded by the stream's window: what was not read is not granted anew, what the peer has no window for is not
/// taken. Subclasses know what a head is: a server's stream receives requests, a client's answers.
class HTTP2Stream: Transport {
  let channel: HTTP2Channel
  /// Its place in the session; -1 between two streams, and once the session is done with the stream.
  private(set) final var slot = -1
  /// What the peer sent, as HTTP/1.1, behind `inboxStart`.
  final var inbox = ByteBuffer(capacity: 1024)
  private final var inboxStart = 0
  /// Octets of content that came and that the peer may not send anew yet.
  private final var unconsumed = 0
  /// How the content that comes is framed in the inbox.
  final var framing = BodyFraming.none
  /// What both sides send is no message but a conversation, which each of them ends by ending the stream.
  final var isTunnel = false
  /// The end could not be sent yet.
  private final var owesEnd = false
  /// The peer's message is complete.
  private(set) final var hasEnd = false
  final var outgoing = Outgoing.head
  /// The head that is being sent while it is not complete.
  private final var pendingHead = ByteBuffer(capacity: 16)
  /// Octets of the line of the head that is being looked at, without CR.
  private final var headLine = 0
  private final var chunks = ChunkReader()
  /// Something came since its waker was rung last.
  final var isTouched = false

  /// Where the message that the engine sends has come to.
  enum Outgoing: Equatable {
    case head
    /// So many octets of content follow.
    case length(Int)
    case chunked
    /// What follows has no form, and its end is said by `shutdownWrite`.
    case tunnel
    case done
  }

  private static let keptCapacity = 64 << 10

  init(_ channel: HTTP2Channel) {
    self.channel = channel
    super.init()
    isWritable = true
  }

  /// Makes it another stream's.
  final func begin(_ slot: Int) {
    self.slot = slot
    reset()
  }

  /// Forgets what the last message of either side has left.
  final func reset() {
    hasEnd = false
    framing = .none
    outgoing = .head
    isTunnel = false
    owesEnd = false
    isWritable = true
  }

  /// Everything was said by both sides.
  final var isSaid: Bool { outgoing == .done && hasEnd }
  /// What the peer said was read.
  final var isRead: Bool { inbox.isEmpty }

  // MARK: From the peer

  /// Content came.
  final func take(_ content: Span<UInt8>) {
    unconsumed += content.count
    if framing == .chunked {
      if content.isEmpty { return }
      HTTP1Encoder.chunkHeader(content.count, into: &inbox)
      inbox.append(content)
      inbox.append("\r\n")
    } else {
      inbox.append(content)
    }
    isReadable = true
  }

  /// Makes of a head that was cut off one that is as long as what was cut, and without end: the decoder refuses it.
  final func lengthen(beyond limit: Int) {
    inbox.truncate(to: inbox.count - 2)
    inbox.append("x: ")
    while inbox.count <= limit { inbox.append("................") }
  }

  /// The peer's message ends.
  ///
  /// - Parameter trailers: lines to put behind chunked content, each with its CRLF.
  final func takeEnd(trailers: Span<UInt8>? = nil) {
    guard !hasEnd else { return }
    hasEnd = true
    if isTunnel { isReadable = true }
    guard framing == .chunked else { return }
    inbox.append("0\r\n")
    if let trailers { inbox.append(trailers) }
    inbox.append("\r\n")
    isReadable = true
  }

  /// The stream is over before its messages were.
  ///
  /// - Parameter code: the error code of RFC 9113 §7; nil when the whole connection broke.
  func breakOff(_ code: UInt32?) {
    slot = -1
    isPeerClosed = true
    isReadable = true
    isWritable = true
  }

  /// The session is done with the stream, as both sides were.
  final func finish() { slot = -1 }

  override func receive(into buffer: inout IOBuffer) -> IOResult {
    if inboxStart < inbox.count {
      let count = buffer.append(inbox.span.extracting(inboxStart..<inbox.count))
      inboxStart += count
      if inboxStart == inbox.count { emptied() } else { grant(min(count, unconsumed)) }
      return .moved(count)
    }
    isReadable = false
    if isPeerClosed { return .reset }
    return endsReading ? .end : .notNow
  }

  /// Whether there is nothing to wait for.
  var endsReading: Bool { isTunnel && hasEnd }

  private func emptied() {
    inboxStart = 0
    if inbox.capacity > Self.keptCapacity { inbox = ByteBuffer(capacity: 1024) } else { inbox.removeAll() }
    grant(unconsumed)
    isReadable = isPeerClosed || isTunnel && hasEnd
  }

  private func grant(_ count: Int) {
    guard count > 0 else { return }
    unconsumed -= count
    // What is read after the stream's end still counts in the window that all streams share.
    if slot >= 0 { channel.session.consume(count, of: slot) } else { channel.session.consume(count) }
    channel.markDirty()
  }

  // MARK: To the peer

  /// Whether a head that is sent opens the stream.
  var mayOpen: Bool { false }

  /// Submits a head, and says what follows it; nil when it is none that can be sent.
  ///
  /// - Parameter head: from its first octet to behind the empty line.
  func submit(_ head: Span<UInt8>) -> Outgoing? { preconditionFailure("a stream knows its heads") }

  override func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    guard isOpen, slot >= 0 || mayOpen, !isPeerClosed else { return .reset }
    var position = 0
    while position < bytes.count {
      let rest = bytes.extracting(position..<bytes.count)
      let count: Int?
      switch outgoing {
      case .head: count = sendHead(rest)
      case .length(let length): count = sendContent(rest, of: length)
      case .chunked: count = sendChunks(rest)
      case .tunnel: count = sendOctets(rest)
      case .done: count = nil
      }
      guard let count else { return .reset }
      position += count
      if !isWritable { break }
    }
    channel.markDirty()
    return position > 0 || bytes.isEmpty ? .moved(position) : .notNow
  }

  private func sendHead(_ bytes: Span<UInt8>) -> Int? {
    guard let end = endOfHead(bytes) else {
      pendingHead.append(bytes)
      return pendingHead.count > Self.keptCapacity ? nil : bytes.count
    }
    let next: Outgoing?
    if pendingHead.isEmpty {
      next = submit(bytes.extracting(0..<end))
    } else {
      pendingHead.append(bytes.extracting(0..<end))
      next = submit(pendingHead.span)
      pendingHead.removeAll()
    }
    guard let next else { return nil }
    outgoing = next
    chunks.reset()
    return end
  }

  /// Where the empty line ends; nil when it has not come yet.
  private func endOfHead(_ bytes: Span<UInt8>) -> Int? {
    var start = 0
    while true {
      let lineFeed = ByteScan.index(of: UInt8(ascii: "\n"), in: bytes, from: start)
      headLine += lineFeed - start
      if lineFeed == bytes.count { return nil }
      // The line is empty when nothing or only a CR stands before its end.
      let isEmpty = headLine <= 1
      headLine = 0
      start = lineFeed + 1
      if isEmpty { return start }
    }
  }

  private func sendContent(_ bytes: Span<UInt8>, of length: Int) -> Int? {
    let run = bytes.extracting(0..<min(length, bytes.count))
    let isLast = run.count == length
    guard let (taken, ended) = channel.offer(run, end: isLast ? .message : .open, of: self) else { return nil }
    outgoing = ended ? .done : .length(length - taken)
    if taken < run.count || isLast != ended { isWritable = false }
    return taken
  }

  private func sendOctets(_ bytes: Span<UInt8>) -> Int? {
    guard let (taken, _) = channel.offer(bytes, end: .open, of: self) else { return nil }
    if taken < bytes.count { isWritable = false }
    return taken
  }

  /// Ends this side of a conversation.
  override func shutdownWrite() {
    guard outgoing == .tunnel, slot >= 0 else { return }
    let ended = channel.offer(Span(), end: .message, of: self)?.ended ?? true
    owesEnd = !ended
    if ended { outgoing = .done }
    channel.markDirty()
  }

  /// The windows, or the output, have room again.
  final func becomeWritable() {
    isWritable = true
    if owesEnd { shutdownWrite() }
  }

  private func sendChunks(_ bytes: Span<UInt8>) -> Int? {
    var position = 0
    while position < bytes.count {
      switch chunks.next(bytes, at: &position) {
      case .more: break
      case .malformed: return nil
      case .content(let range, let endsMessage):
        let run = bytes.extracting(range)
        guard let (taken, ended) = channel.offer(run, end: endsMessage ? .message : .open, of: self) else { return nil }
        if ended {
          outgoing = .done
          return range.upperBound + ChunkReader.lastChunk
        }
        chunks.take(taken, at: &position)
        if taken < run.count {
          isWritable = false
          return position
        }
      case .end:
        let end: HTTP2BodyEnd = chunks.trailers.isEmpty ? .message : .content
        guard let (_, ended) = channel.offer(Span(), end: end, of: self) else { return nil }
        guard ended else {
          isWritable = false
          return position
        }
        if end == .content { sendTrailers() }
        outgoing = .done
        return position + 1
      }
    }
    return position
  }

  private func sendTrailers() {
    channel.fields.removeAll()
    FieldTranslation.appendTrailers(chunks.trailers.span, to: &channel.fields)
    channel.session.submitTrailers(channel.fields, to: slot)
  }

  // MARK: The end

  /// What the peer is told when one closes before all was said.
  var codeOfClose: HTTP2ErrorCode { outgoing == .done ? .none : .internalError }

  override func close(reset: Bool = false) {
    guard isOpen else { return }
    isOpen = false
    isPeerClosed = true
    waker = nil
    grant(unconsumed)
    if slot >= 0 {
      if outgoing != .done || !hasEnd { channel.session.reset(slot, code: codeOfClose) }
      channel.markDirty()
    }
    channel.closed(self)
    slot = -1
  }
}
