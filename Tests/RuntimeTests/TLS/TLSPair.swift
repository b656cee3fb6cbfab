import Foreign
import GatewayTesting
import Kernel
import Runtime

/// Both ends of one TLS connection over loopback, on one loop.
///
/// One waker serves both, so that a test makes progress on either end and then waits for anything.
final class TLSPair {
  let server: TLSSocket
  let client: TLSSocket
  let waker: Waker
  private let loop: Loop
  private let buffers = BufferPool(blockSize: 64 << 10, keep: 2)

  init(
    _ loop: Loop, server: TLSServerContext, client: TLSClientContext, host: String, resumption: TLSResumption? = nil
  ) throws {
    self.loop = loop
    let listener = try SocketCalls.listen(on: .ip(IPAddress(v4: 0x7f00_0001), port: 0), shared: false)
    guard let address = SocketCalls.localAddress(of: listener.number) else { throw WireError.timedOut }
    self.client = try TLSSocket(
      connecting: SocketCalls.connect(to: address), on: loop, client: client, host: host, resumption: resumption)
    guard let accepted = try SocketCalls.accept(from: listener) else { throw WireError.timedOut }
    self.server = try TLSSocket(accepted.take(), on: loop, server: server)
    waker = Waker(loop)
    self.client.waker = waker
    self.server.waker = waker
  }

  /// Waits until both ends know how the handshake went.
  func shakeHands() async {
    while server.handshake == .running || client.handshake == .running { await wait() }
  }

  func wait() async { _ = await waker.wait(until: loop.now + 5_000_000_000) }

  /// Sends all of it from one end while the other reads; what came, and whether the end did.
  func pass(_ bytes: [UInt8], from source: TLSSocket, to sink: TLSSocket) async -> [UInt8] {
    var sent = 0
    var came: [UInt8] = []
    while came.count < bytes.count {
      while sent < bytes.count, source.isWritable {
        let result = source.send(bytes.span.extracting(sent..<bytes.count))
        if result.isError { return came }
        sent += result.count
      }
      let result = read(sink, into: &came)
      if result.isEnd || result.isError { return came }
      if came.count < bytes.count { await wait() }
    }
    return came
  }

  /// Reads what is there.
  func read(_ socket: TLSSocket, into bytes: inout [UInt8]) -> IOResult {
    var buffer = IOBuffer()
    buffer.lease(from: buffers)
    defer { buffer.return(to: buffers) }
    var last = IOResult.notNow
    while socket.isReadable {
      buffer.removeAll()
      last = socket.receive(into: &buffer)
      for index in 0..<buffer.count { bytes.append(buffer.readable[index]) }
      if last.count == 0 { return last }
    }
    return last
  }

  /// Reads until something comes, or the end.
  func readOnce(_ socket: TLSSocket) async -> (IOResult, [UInt8]) {
    var bytes: [UInt8] = []
    while true {
      let result = read(socket, into: &bytes)
      if !bytes.isEmpty || result.isEnd || result.isError { return (result, bytes) }
      await wait()
    }
  }

  func close() {
    server.close()
    client.close()
  }
}

/// Runs a test's body on a loop of its own.
func onLoop<Result: Sendable>(_ body: @escaping @Sendable (Loop) async throws -> Result) async throws -> Result {
  let loop = try Loop()
  let thread = try Thread.start(name: "test-loop") { loop.run() }
  defer {
    loop.stop()
    thread.join()
  }
  return try await withCheckedThrowingContinuation { continuation in
    loop.post {
      loop.start(loop) { loop in
        do { continuation.resume(returning: try await body(loop)) } catch { continuation.resume(throwing: error) }
      }
    }
  }
}

/// What the tests of TLS are made with; made once, because keys take time.
enum TLSMaterial {
  struct Set: Sendable {
    let authority: CertificateAuthority
    let localhost: TLSIdentity
    let localhostRSA: TLSIdentity
    let other: TLSIdentity
    let expired: TLSIdentity
    let future: TLSIdentity
    let client: TLSIdentity
  }

  private static let made = Swift.Result { try make() }

  static var set: Set { get throws { try made.get() } }

  static var trusted: TLSAuthority {
    get throws { try TLSAuthority(TextFiles.read(set.authority.certificate, limit: 1 << 20)) }
  }

  static func identity(_ files: CertificateAuthority.Files) throws -> TLSIdentity {
    try TLSIdentity(
      certificate: TextFiles.read(files.certificate, limit: 1 << 20),
      privateKey: TextFiles.read(files.key, limit: 1 << 20))
  }

  private static func make() throws -> Set {
    let authority = try CertificateAuthority()
    return try Set(
      authority: authority,
      localhost: identity(authority.issue(subject: "/CN=localhost", names: ["DNS:localhost", "IP:127.0.0.1"])),
      localhostRSA: identity(authority.issue(subject: "/CN=rsa", names: ["DNS:localhost"], key: .rsa)),
      other: identity(authority.issue(subject: "/CN=other", names: ["DNS:other.test", "DNS:*.wild.test"])),
      expired: identity(authority.issue(names: ["DNS:localhost"], days: -30 ... -1)),
      future: identity(authority.issue(names: ["DNS:localhost"], days: 10...30)),
      client: identity(
        authority.issue(
          subject: "/O=Example/CN=batch",
          names: ["DNS:batch.internal", "email:ops@example.com", "IP:10.0.0.1", "IP:::1"])
      ))
  }
}
