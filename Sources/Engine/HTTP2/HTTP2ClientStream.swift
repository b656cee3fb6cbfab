import Foreign
import HTTP
import Kernel
import Runtime

/// A stream to a target: the engine writes its request and reads the answer, both in HTTP/1.1.
///
/// The stream is opened when the head of the request is complete. Until its connection is ready it looks like a socket
/// that is being connected.
final class HTTP2ClientStream: HTTP2Stream {
  unowned let carrier: HTTP2ClientConnection
  private var decoder: RequestDecoder
  private var head = RequestHead()
  private var method = Method.other
  private var hasHead = false
  /// The call is over, and the target has not ended the stream yet.
  var isLingering = false
  /// What holds it while it is leased, and is kept for the next call.
  var lease: UpstreamConnection?
  private var isRefused = false
  private var isOpened = false
  /// The whole connection broke, and not only the stream.
  private(set) var isLost = false

  init(_ carrier: HTTP2ClientConnection) {
    self.carrier = carrier
    decoder = RequestDecoder(limits: HTTPLimits(head: 1 << 20, headers: 1000, target: 1 << 20))
    super.init(carrier)
  }

  /// Makes it ready for a call.
  func prepare(isReady: Bool) {
    reset()
    hasHead = false
    isRefused = false
    isOpened = false
    isLost = false
    isWritable = isReady
  }

  /// The target said that it has done nothing with the request (RFC 9113 §8.7), or it was never sent.
  var isUnprocessed: Bool { isRefused || !isOpened }

  override var error: CInt { carrier.hasFailed ? IOResult.reset.error : 0 }

  override var mayOpen: Bool { outgoing == .head && carrier.isReady }

  // MARK: The request

  override func submit(_ bytes: Span<UInt8>) -> Outgoing? {
    decoder.reset()
    guard (try? decoder.decode(bytes, into: &head)) == true, !head.asksUpgrade else { return nil }
    method = head.method
    channel.fields.removeAll()
    channel.fields.append(":method", head.methodRange.bytes(in: bytes))
    channel.fields.append(":scheme", ByteScan.bytes(of: carrier.isSecure ? "https" : "http"))
    channel.fields.append(":authority", head.hostRange.bytes(in: bytes))
    channel.fields.append(":path", head.targetRange.bytes(in: bytes))
    FieldTranslation.append(head.headers, bytes, to: &channel.fields)
    if head.headers.contains(.te) { channel.fields.append("te", ByteScan.bytes(of: "trailers")) }
    guard channel.request(self, isEnd: head.framing == .none) else {
      carrier.leave()
      return nil
    }
    isOpened = true
    return switch head.framing {
    case .none: .done
    case .length(let length): .length(length)
    case .chunked: .chunked
    case .untilClose: nil
    }
  }

  // MARK: The answer

  /// Takes a head or trailers; false when they cannot be said in HTTP/1.1.
  ///
  /// - Parameter isTruncated: it is longer than a head may be, which the decoder will find out.
  func takeHead(_ lines: Range<Int>, of session: HTTP2Session, isTruncated: Bool, isEnd: Bool) -> Bool {
    if hasHead { return takeTrailers(lines, of: session, isTruncated: isTruncated, isEnd: isEnd) }
    guard
      let meaning = AnswerTranslation.encode(
        session.received, lines, answering: method, isEnd: isEnd, into: &inbox)
    else { return false }
    if isTruncated { lengthen(beyond: session.headLimit) }
    hasHead = !meaning.isInformational
    framing = meaning.framing
    isReadable = true
    if isEnd { takeEnd() }
    return true
  }

  private func takeTrailers(
    _ lines: Range<Int>, of session: HTTP2Session, isTruncated: Bool, isEnd: Bool
  ) -> Bool {
    var trailers = ByteBuffer(capacity: 256)
    guard isEnd, !isTruncated, FieldTranslation.appendTrailers(session.received, lines, to: &trailers) else {
      return false
    }
    takeEnd(trailers: trailers.span)
    return true
  }

  // MARK: The end

  override func breakOff(_ code: UInt32?) {
    super.breakOff(code)
    isRefused = code == HTTP2ErrorCode.refusedStream.rawValue
    isLost = code == nil
    if isLingering { carrier.forget(self) }
  }

  override var codeOfClose: HTTP2ErrorCode { .cancel }
}
