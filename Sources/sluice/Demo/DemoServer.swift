import HTTP
import Kernel
import Runtime

/// A small HTTP/1.1 server on one loop, for the demo backends: each connection is a task that reads a request whole
/// and writes its answer.
final class DemoServer {
  private let backend: any DemoService
  private let loop: Loop
  private var listener: Listener?

  init(_ backend: any DemoService, port: Int, on loop: Loop) throws(SocketError) {
    self.backend = backend
    self.loop = loop
    let address = SocketAddress.ip(IPAddress(v4: 0x7f00_0001), port: UInt16(port))
    listener = try Listener(
      try SocketCalls.listen(on: address, shared: false), on: loop,
      accept: { [unowned self] descriptor, _ in accept(descriptor) }, failed: { _ in })
  }

  private func accept(_ descriptor: consuming FileDescriptor) {
    SocketCalls.setNoDelay(descriptor)
    guard let connection = try? DemoConnection(descriptor, backend: backend, on: loop) else { return }
    loop.start(connection) { await $0.serve() }
  }
}

/// One connection of a demo backend.
final class DemoConnection {
  private let backend: any DemoService
  private let loop: Loop
  private let socket: Socket
  private let waker: Waker

  private static let largestBody = 32 << 20
  private static let idleTimeout = 120_000_000_000

  init(_ descriptor: consuming FileDescriptor, backend: any DemoService, on loop: Loop) throws(SocketError) {
    self.backend = backend
    self.loop = loop
    socket = try Socket(descriptor, on: loop, connected: true)
    waker = Waker(loop)
    socket.waker = waker
  }

  func serve() async {
    defer { socket.close() }
    let pool = BufferPool(blockSize: 32 << 10, keep: 1)
    var buffer = IOBuffer()
    buffer.lease(from: pool)
    while let request = await read(&buffer) {
      let answer = backend.answer(to: request)
      if answer.delay > 0 { await pause(answer.delay) }
      guard await write(answer, for: request), request.keepsAlive else { return }
    }
  }

  /// The next request with its body; nil when the client has left, or sent what is no request.
  private func read(_ buffer: inout IOBuffer) async -> DemoRequest? {
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    while true {
      guard let isComplete = try? decoder.decode(buffer.readable, into: &head) else { return nil }
      if isComplete { break }
      guard await receive(&buffer) else { return nil }
    }
    var request = DemoRequest(head, in: buffer.readable)
    if head.expectsContinue, !(await send("HTTP/1.1 100 Continue\r\n\r\n")) { return nil }
    buffer.consume(head.length)
    buffer.compact()
    var body = BodyDecoder(head.framing, limits: HTTPLimits())
    while !body.isDone {
      if buffer.isEmpty, !(await receive(&buffer)) { return nil }
      guard let step = Self.decode(&body, &buffer, into: &request.body) else { return nil }
      if request.body.count > Self.largestBody { return nil }
      buffer.consume(step.consumed)
      buffer.compact()
    }
    return request
  }

  private static func decode(
    _ decoder: inout BodyDecoder, _ buffer: inout IOBuffer, into body: inout [UInt8]
  ) -> BodyStep? {
    var span = buffer.mutableReadable
    guard let step = try? decoder.decode(&span) else { return nil }
    for index in 0..<step.produced { body.append(span[index]) }
    return step
  }

  private func receive(_ buffer: inout IOBuffer) async -> Bool {
    while true {
      if socket.isReadable {
        let result = socket.receive(into: &buffer)
        if result.count > 0 { return true }
        if !result.wouldBlock { return false }
      }
      if await waker.wait(until: loop.now + Self.idleTimeout).contains(.deadline) { return false }
    }
  }

  private func write(_ answer: DemoAnswer, for request: DemoRequest) async -> Bool {
    var head = "HTTP/1.1 \(answer.status) \(Status.reason(answer.status))\r\nContent-Type: \(answer.contentType)\r\n"
    head += "X-Backend: \(backend.name)\r\n"
    for (name, value) in answer.fields { head += "\(name): \(value)\r\n" }
    if answer.chunks.isEmpty || request.minorVersion == 0 {
      let body = answer.body + answer.chunks.joined()
      head += "Content-Length: \(body.utf8.count)\r\n\r\n"
      return await send(head + (request.method == "HEAD" ? "" : body))
    }
    guard await send(head + "Transfer-Encoding: chunked\r\n\r\n") else { return false }
    if request.method == "HEAD" { return true }
    for chunk in answer.chunks {
      guard await send(String(chunk.utf8.count, radix: 16) + "\r\n" + chunk + "\r\n") else { return false }
      await pause(answer.chunkDelay)
    }
    return await send("0\r\n\r\n")
  }

  private func send(_ text: String) async -> Bool {
    let bytes = text.utf8Span.span
    var sent = 0
    while sent < bytes.count {
      let result = socket.send(bytes.extracting(sent..<bytes.count))
      if result.isError { return false }
      sent += result.count
      if sent < bytes.count, !socket.isWritable {
        if await waker.wait(until: loop.now + Self.idleTimeout).contains(.deadline) { return false }
      }
    }
    return true
  }

  private func pause(_ nanoseconds: Int) async {
    let end = loop.now + nanoseconds
    while loop.now < end, !socket.isPeerClosed { _ = await waker.wait(until: end) }
  }
}
