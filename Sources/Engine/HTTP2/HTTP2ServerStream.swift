import Foreign
import HTTP
import Kernel
import Runtime

/// A stream that a client opened: the engine reads its request and writes the answer, both in HTTP/1.1.
final class HTTP2ServerStream: HTTP2Stream {
  private var decoder: ResponseDecoder
  private var head = ResponseHead()
  private var isHead = false
  /// Its stream was reset because of its head.
  private(set) var isRefused = false
  unowned var connection: ServerConnection!

  override init(_ channel: HTTP2Channel) {
    decoder = ResponseDecoder(limits: HTTPLimits(head: 1 << 20, headers: 1000, target: 0))
    super.init(channel)
  }

  /// Takes the head of a request; false when it cannot be said in HTTP/1.1.
  ///
  /// - Parameter isTruncated: it is longer than a head may be, which the decoder will find out.
  func takeHead(_ lines: Range<Int>, of session: HTTP2Session, isTruncated: Bool, isEnd: Bool) -> Bool {
    guard
      let meaning =
        RequestTranslation.encode(
          session.received, lines, isEnd: isEnd, random: &connection.worker.random, into: &inbox)
    else { return false }
    if isTruncated { lengthen(beyond: session.headLimit) }
    framing = meaning.framing
    isHead = meaning.isHead
    isTunnel = meaning.isTunnel
    isReadable = true
    return true
  }

  /// Whether a further request may come over it.
  var isResting: Bool {
    guard isOpen, isRead, let connection else { return false }
    return connection.waker.isParked && connection.awaited == nil && connection.tunnel == nil
  }

  /// Shows the engine a head that is none in place of one that cannot be said; nobody is told what it answers.
  func refuse() {
    inbox.removeAll()
    inbox.append(" \r\n\r\n")
    isRefused = true
    isReadable = true
  }

  override func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    isRefused ? .moved(bytes.count) : super.send(bytes, more: more)
  }

  /// Nobody reads the rest of a request that was answered.
  override var endsReading: Bool { super.endsReading || outgoing == .done && !hasEnd }

  override var codeOfClose: HTTP2ErrorCode { isTunnel ? .cancel : super.codeOfClose }

  override func submit(_ bytes: Span<UInt8>) -> Outgoing? {
    decoder.reset()
    guard (try? decoder.decode(bytes, into: &head, answering: isHead ? .head : .get, mayUpgrade: isTunnel)) == true
    else { return nil }
    channel.fields.removeAll()
    if isTunnel, !head.isInformational { return submitTunnel(bytes) }
    appendStatus(head.status)
    FieldTranslation.append(head.headers, bytes, to: &channel.fields)
    if head.isInformational {
      channel.session.submitInformational(channel.fields, to: slot)
      return .head
    }
    return submitResponse()
  }

  /// Answers who asked for a WebSocket: what is a switch in HTTP/1.1 is a success here (RFC 8441 §5), so that no other
  /// answer may look like one.
  private func submitTunnel(_ bytes: Span<UInt8>) -> Outgoing? {
    let agrees = head.status == 101
    isTunnel = agrees
    appendStatus(agrees ? 200 : 200..<300 ~= head.status ? 502 : head.status)
    FieldTranslation.append(
      head.headers, bytes, without: agrees ? WebSocketHandshake.acceptField : nil, to: &channel.fields)
    guard agrees else { return submitResponse() }
    channel.session.submitResponse(channel.fields, to: slot, isEnd: false)
    return .tunnel
  }

  private func submitResponse() -> Outgoing? {
    channel.session.submitResponse(channel.fields, to: slot, isEnd: head.framing == .none)
    return switch head.framing {
    case .none: .done
    case .length(let length): .length(length)
    case .chunked: .chunked
    case .untilClose: nil
    }
  }

  /// Ends content that breaks off by the trailers of gRPC; false when there is no window for its end, or no content.
  ///
  /// A frame ends where it ends: what is missing of a chunk is nothing that HTTP/2 knows of.
  func endCall(_ status: Int, _ message: StaticString) -> Bool {
    guard slot >= 0, outgoing == .chunked, let offered = channel.offer(Span(), end: .content, of: self), offered.ended
    else { return false }
    var text = ByteBuffer(capacity: 128)
    text.append(decimal: status)
    channel.fields.removeAll()
    channel.fields.append("grpc-status", text.span)
    text.removeAll()
    GRPC.appendMessage(ByteScan.bytes(of: message), to: &text)
    channel.fields.append("grpc-message", text.span)
    channel.session.submitTrailers(channel.fields, to: slot)
    outgoing = .done
    channel.markDirty()
    return true
  }

  private func appendStatus(_ status: Int) {
    let digits: InlineArray<3, UInt8> = [
      UInt8(status / 100) + 0x30, UInt8(status / 10 % 10) + 0x30, UInt8(status % 10) + 0x30,
    ]
    channel.fields.append(":status", digits.span)
  }
}
