import HTTP
import Kernel
import Runtime

/// What one probe found out.
enum ProbeOutcome: Equatable {
  case good
  /// - why: ends a sentence that begins with the target's name.
  case bad(String)
  /// The gateway itself could not ask: that says nothing about the target.
  case unknown
}

/// One probe of a target over a connection of its own: a GET whose answer's head counts, or only the connect.
///
/// It is read as strictly as traffic is, and bounded by its deadline and by the limits of a head.
final class ProbeCall {
  private let loop: Loop
  private let waker: Waker
  private let deadline: Int

  /// - Parameter timeout: nanoseconds for all of it.
  init(_ loop: Loop, timeout: Int) {
    self.loop = loop
    waker = Waker(loop)
    deadline = loop.now + timeout
  }

  /// - Parameters:
  ///   - path: what to ask for; nil only connects.
  ///   - http2: for a target that is spoken to in HTTP/2.
  func run(_ target: Target, path: String?, buffers: BufferPool, http2: HTTP2Context? = nil) async -> ProbeOutcome {
    let socket: Transport
    do {
      let connection = try target.connect(on: loop)
      socket = http2.flatMap { stream(over: connection, $0) } ?? connection
    } catch {
      return error.isOutOfDescriptors || error.isOutOfPorts ? .unknown : .bad("cannot be reached: \(error)")
    }
    socket.waker = waker
    defer {
      waker.cancelDeadline()
      socket.close()
    }
    while !socket.isWritable {
      if await isOver() { return .bad("did not accept a connection in time") }
    }
    if let carrier = (socket as? HTTP2ClientStream)?.carrier, carrier.hasFailed { return .bad(carrier.failureText) }
    if let failure = (socket as? TLSSocket)?.failure { return .bad("fails the TLS handshake: \(failure)") }
    if socket.isPeerClosed, socket.error != 0 { return .bad("refuses connections") }
    guard let path else { return .good }
    if let failure = await send(Self.request(path, of: target), over: socket) { return failure }
    return await receive(over: socket, buffers: buffers)
  }

  /// The only stream of a connection, which ends with it.
  private func stream(over socket: Socket, _ context: HTTP2Context) -> Transport? {
    let carrier = try? HTTP2ClientConnection(
      socket, on: context, pool: nil, headSize: context.smallBuffers.blockSize,
      connectTimeout: deadline - loop.now, idleTimeout: 0)
    return carrier?.lease()
  }

  private static func request(_ path: String, of target: Target) -> [UInt8] {
    let host = if case .unix = target.address { "localhost" } else { target.name }
    return Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: sluice\r\nConnection: close\r\n\r\n".utf8)
  }

  private func send(_ request: [UInt8], over socket: Transport) async -> ProbeOutcome? {
    var sent = 0
    while sent < request.count {
      let result = socket.send(request.span.extracting(sent..<request.count))
      if result.isError { return .bad("closed the connection before it answered") }
      sent += result.count
      while sent < request.count, !socket.isWritable {
        if await isOver() { return Self.silent }
      }
    }
    return nil
  }

  private func receive(over socket: Transport, buffers: BufferPool) async -> ProbeOutcome {
    var decoder = ResponseDecoder(limits: HTTPLimits(head: buffers.blockSize))
    var head = ResponseHead()
    var buffer = IOBuffer()
    buffer.lease(from: buffers)
    defer { buffer.return(to: buffers) }
    while true {
      while socket.isReadable {
        let result = socket.receive(into: &buffer)
        if result.wouldBlock { break }
        if result.count == 0 { return .bad("closed the connection before it answered") }
        do {
          while try decoder.decode(buffer.readable, into: &head, answering: .get) {
            if !head.isInformational { return Self.outcome(head.status) }
            buffer.consume(head.length)
            buffer.compact()
            if buffer.isEmpty { break }
          }
        } catch { return .bad("answered what is no HTTP: \(error.reason)") }
      }
      if await isOver() { return Self.silent }
    }
  }

  private static let silent = ProbeOutcome.bad("did not answer in time")

  private static func outcome(_ status: Int) -> ProbeOutcome {
    200..<400 ~= status ? .good : .bad("answered with status \(status)")
  }

  /// Waits for the socket; whether the time is over.
  private func isOver() async -> Bool {
    _ = await waker.wait(until: deadline)
    return loop.now >= deadline
  }
}
