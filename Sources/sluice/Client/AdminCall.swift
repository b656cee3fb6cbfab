import Configuration
import HTTP
import Kernel
import Runtime

/// One request to an admin port, and its answer.
final class AdminCall {
  struct Answer {
    let status: Int
    let body: String
  }

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  private let address: SocketAddress
  private let method: String
  private let request: String
  private let patience: Int
  private var result = Result<Answer, Failure>.failure(Failure(description: "no answer"))

  private static let block = 64 << 10

  /// - Parameter patience: nanoseconds that the answer may take.
  init(
    _ address: SocketAddress, _ method: String, _ path: String, token: Secret?, accept: String, patience: Int
  ) {
    self.address = address
    self.method = method
    self.patience = patience
    let host = if case .unix = address { "localhost" } else { "\(address)" }
    var request = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nAccept: \(accept)\r\nConnection: close\r\n"
    if let token { request += "Authorization: Bearer \(token.reveal())\r\n" }
    if method == "POST" { request += "Content-Length: 0\r\n" }
    self.request = request + "\r\n"
  }

  /// Waits for the answer on the calling thread.
  func run() throws(Failure) -> Answer {
    do {
      let loop = try Loop()
      loop.start(self) { call in
        call.result = await call.exchange(on: loop)
        loop.stop()
      }
      loop.run()
    } catch {
      throw Failure(description: "\(error)")
    }
    return try result.get()
  }

  private func exchange(on loop: Loop) async -> Result<Answer, Failure> {
    let deadline = loop.now + patience
    let waker = Waker(loop)
    do throws(SocketError) {
      let socket = try Socket(SocketCalls.connect(to: address), on: loop, connected: false)
      socket.waker = waker
      defer { socket.close() }
      var answer = ByteBuffer(capacity: Self.block)
      var sent = 0
      let pool = BufferPool(blockSize: Self.block, keep: 1)
      var block = IOBuffer()
      block.lease(from: pool)
      while true {
        if socket.isWritable, sent < request.utf8.count {
          // Reading it clears it.
          let error = socket.error
          if error != 0 { return .failure(Failure(description: Errno(error).message)) }
          let result = socket.send(request.utf8Span.span.extracting(sent..<request.utf8.count))
          if result.isError { return .failure(Failure(description: Errno(result.error).message)) }
          sent += result.count
        }
        if socket.isReadable {
          block.removeAll()
          let result = socket.receive(into: &block)
          if result.isError { return .failure(Failure(description: Errno(result.error).message)) }
          if result.isEnd { return parse(answer) }
          answer.append(block.readable)
          continue
        }
        if await waker.wait(until: deadline).contains(.deadline) {
          return .failure(Failure(description: "it did not answer in time"))
        }
      }
    } catch {
      return .failure(Failure(description: Errno(error.code).message))
    }
  }

  /// Takes the whole connection's bytes apart: the answer has a length and the connection ends behind it.
  private func parse(_ bytes: borrowing ByteBuffer) -> Result<Answer, Failure> {
    var decoder = ResponseDecoder(limits: HTTPLimits(head: 64 << 10))
    var head = ResponseHead()
    do throws(HTTPError) {
      guard try decoder.decode(bytes.span, into: &head, answering: method == "GET" ? .get : .post) else {
        return .failure(Failure(description: "the connection broke off"))
      }
    } catch {
      return .failure(Failure(description: "it does not speak HTTP"))
    }
    let body = bytes.span.extracting(head.length..<bytes.count)
    if case .length(let length) = head.framing, length != body.count {
      return .failure(Failure(description: "the connection broke off"))
    }
    return .success(
      Answer(status: head.status, body: String(decoding: body.indices.map { body[$0] }, as: UTF8.self)))
  }
}
