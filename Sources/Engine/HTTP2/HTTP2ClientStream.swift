import Foreign
import HTTP
import Kernel
import PluginKit
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
  /// Of the WebSocket's handshake that the engine made.
  private var key = ByteBuffer(capacity: 32)
  /// Why the request cannot be sent at all.
  private(set) var fault: Fault?
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
    fault = nil
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
    guard (try? decoder.decode(bytes, into: &head)) == true else { return nil }
    if head.asksUpgrade { return submitTunnel(bytes) }
    method = head.method
    channel.fields.removeAll()
    channel.fields.append(":method", head.methodRange.bytes(in: bytes))
    channel.fields.append(":scheme", ByteScan.bytes(of: carrier.isSecure ? "https" : "http"))
    channel.fields.append(":authority", head.hostRange.bytes(in: bytes))
    channel.fields.append(":path", head.targetRange.bytes(in: bytes))
    FieldTranslation.append(head.headers, bytes, to: &channel.fields)
    if head.headers.contains(.te) { channel.fields.append("te", ByteScan.bytes(of: "trailers")) }
    guard open(isEnd: head.framing == .none) else { return nil }
    return switch head.framing {
    case .none: .done
    case .length(let length): .length(length)
    case .chunked: .chunked
    case .untilClose: nil
    }
  }

  private func open(isEnd: Bool) -> Bool {
    isOpened = channel.request(self, isEnd: isEnd)
    if !isOpened { carrier.leave() }
    return isOpened
  }

  /// A request for a WebSocket becomes extended CONNECT (RFC 8441 §4).
  private func submitTunnel(_ bytes: Span<UInt8>) -> Outgoing? {
    guard WebSocketHandshake.isAsked(by: head, bytes),
      WebSocketHandshake.takeKey(of: head, bytes, into: &key)
    else { return nil }
    guard channel.session.peerTakesExtendedConnect else {
      fault = .targetNoWebSocket
      return nil
    }
    channel.fields.removeAll()
    channel.fields.append(":method", ByteScan.bytes(of: "CONNECT"))
    channel.fields.append(":protocol", ByteScan.bytes(of: "websocket"))
    channel.fields.append(":scheme", ByteScan.bytes(of: carrier.isSecure ? "https" : "http"))
    channel.fields.append(":authority", head.hostRange.bytes(in: bytes))
    channel.fields.append(":path", head.targetRange.bytes(in: bytes))
    FieldTranslation.append(head.headers, bytes, without: WebSocketHandshake.keyField, to: &channel.fields)
    method = .get
    guard open(isEnd: false) else { return nil }
    isTunnel = true
    return .tunnel
  }

  // MARK: The answer

  /// Takes a head or trailers; false when they cannot be said in HTTP/1.1.
  ///
  /// - Parameter isTruncated: it is longer than a head may be, which the decoder will find out.
  func takeHead(_ lines: Range<Int>, of session: HTTP2Session, isTruncated: Bool, isEnd: Bool) -> Bool {
    if hasHead { return takeTrailers(lines, of: session, isTruncated: isTruncated, isEnd: isEnd) }
    if isTunnel, AnswerTranslation.isSuccess(session.received, lines) {
      hasHead = true
      isReadable = true
      if isEnd { takeEnd() }
      return !isTruncated
        && AnswerTranslation.encodeSwitch(session.received, lines, key: &key, into: &inbox)
    }
    guard
      let meaning = AnswerTranslation.encode(
        session.received, lines, answering: method, isEnd: isEnd, into: &inbox)
    else { return false }
    if isTruncated { lengthen(beyond: session.headLimit) }
    hasHead = !meaning.isInformational
    if hasHead { isTunnel = false }
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
