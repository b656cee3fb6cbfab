import HTTP
import Kernel
import PluginKit
import Runtime

/// Gathers the response to a call of the gateway's own, whole and bounded.
final class ClientAnswer {
  enum Failure: Error {
    case malformed(HTTPError)
    case tooManyInformational
    case tooLarge
    /// The target closed or broke off before the head was complete.
    case noHead
    /// The same in the middle of the body.
    case truncated
  }

  private let method: Method
  private let largest: Int
  private let keepsContent: Bool
  private let buffers: BufferPool
  private var buffer = IOBuffer()
  private var decoder: ResponseDecoder
  private var body: BodyDecoder
  private var head = ResponseHead()
  private var content = ByteBuffer(capacity: 1024)
  private var headers: [(name: String, value: String)] = []
  private var informational = 0
  private var keepsAlive = false

  /// The status once the head is there; 0 before.
  private(set) var status = 0
  /// Whether any byte has come.
  private(set) var hasBegun = false
  private(set) var isComplete = false

  private static let mostInformational = 16

  /// - Parameter keepsContent: false to read the body and drop it.
  init(to method: Method, largest: Int, keepsContent: Bool = true, buffers: BufferPool) {
    self.method = method
    self.largest = largest
    self.keepsContent = keepsContent
    self.buffers = buffers
    let limits = HTTPLimits(head: buffers.blockSize, headers: 256, target: 0)
    decoder = ResponseDecoder(limits: limits)
    body = BodyDecoder(.none, limits: limits)
  }

  /// Takes what the socket has; the socket then has no more for now, or the response is complete.
  func read(from socket: Transport) throws(Failure) {
    buffer.lease(from: buffers)
    while !isComplete, socket.isReadable {
      let result = socket.receive(into: &buffer)
      if result.wouldBlock { return }
      if result.count == 0 { return try end(broken: result.isError) }
      hasBegun = true
      if status == 0 { try decodeHead() }
      if status > 0 { try decodeBody() }
    }
  }

  func finish() { buffer.return(to: buffers) }

  /// Whether the connection can carry another exchange: nothing came behind the response.
  var isReusable: Bool { isComplete && keepsAlive && buffer.isEmpty }

  var response: ClientResponse {
    ClientResponse(status: status, headers: headers, body: Self.bytes(content))
  }

  private func decodeHead() throws(Failure) {
    while status == 0 {
      do {
        guard try Self.decode(&decoder, buffer, into: &head, answering: method) else { return }
      } catch { throw .malformed(error) }
      if head.isInformational {
        informational += 1
        if informational > Self.mostInformational { throw .tooManyInformational }
        buffer.consume(head.length)
        buffer.compact()
        if buffer.isEmpty { return }
        continue
      }
      takeHead()
    }
  }

  private func takeHead() {
    status = head.status
    keepsAlive = head.keepAlive
    headers = Self.headers(of: head, in: buffer)
    body.begin(head.framing)
    buffer.consume(head.length)
  }

  private func decodeBody() throws(Failure) {
    let step: BodyStep
    do { step = try Self.decode(&body, &buffer) } catch { throw .malformed(error) }
    if content.count + step.produced > largest { throw .tooLarge }
    if keepsContent { Self.append(buffer, step.start..<step.start + step.produced, to: &content) }
    buffer.consume(step.consumed)
    isComplete = step.done
  }

  /// The target sends no more: the end of a body that nothing else delimits.
  private func end(broken: Bool) throws(Failure) {
    if status == 0 { throw .noHead }
    do { try body.end() } catch { throw .truncated }
    if broken { throw .truncated }
    isComplete = true
  }

  // Spans of an object's own buffers cannot leave the access to the object; those of arguments can.

  private static func decode(
    _ decoder: inout ResponseDecoder, _ buffer: borrowing IOBuffer, into head: inout ResponseHead,
    answering method: Method
  ) throws(HTTPError) -> Bool {
    try decoder.decode(buffer.readable, into: &head, answering: method)
  }

  private static func decode(_ body: inout BodyDecoder, _ buffer: inout IOBuffer) throws(HTTPError) -> BodyStep {
    var bytes = buffer.mutableReadable
    return try body.decodeInPlace(&bytes)
  }

  private static func headers(
    of head: borrowing ResponseHead, in buffer: borrowing IOBuffer
  ) -> [(name: String, value: String)] {
    var found: [(name: String, value: String)] = []
    head.headers.forEach(in: buffer.readable) { name, value in
      found.append((String(decoding: array(name), as: UTF8.self), String(decoding: array(value), as: UTF8.self)))
    }
    return found
  }

  private static func append(_ buffer: borrowing IOBuffer, _ range: Range<Int>, to out: inout ByteBuffer) {
    out.append(buffer.readable.extracting(range))
  }

  private static func bytes(_ buffer: borrowing ByteBuffer) -> [UInt8] { array(buffer.span) }

  private static func array(_ bytes: Span<UInt8>) -> [UInt8] {
    var array: [UInt8] = []
    array.reserveCapacity(bytes.count)
    for index in bytes.indices { array.append(bytes[index]) }
    return array
  }
}
