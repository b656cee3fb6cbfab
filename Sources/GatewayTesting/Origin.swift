package import Kernel

/// A server behind the gateway that does what a script says: on threads of its own, on a free port.
///
/// The script is called for each connection; when it returns, the connection is closed. Whatever it reads through
/// its `OriginConnection` is recorded.
package final class Origin: Sendable, Opaque {
  package typealias Script = @Sendable (OriginConnection) throws -> Void

  package let address: SocketAddress
  private let script: Script
  private let state = Lock(State())
  private let wakeUp: EventDescriptor

  private struct State {
    var requests: [WireMessage] = []
    var failures: [String] = []
    var accepted = 0
    var open: [ObjectIdentifier: ByteStream] = [:]
    var threads: [Thread] = []
    var isStopped = false
  }

  /// - Parameter address: where to listen; nil for a free port.
  package init(on address: SocketAddress? = nil, _ script: @escaping Script) throws {
    self.script = script
    wakeUp = try EventDescriptor()
    var place = address ?? Ports.loopback(Ports.free())
    var listener: FileDescriptor?
    while listener == nil {
      do { listener = try SocketCalls.listen(on: place, shared: false) } catch {
        guard address == nil, error.isAddressInUse else { throw error }
        place = Ports.loopback(Ports.free())
      }
    }
    self.address = place
    let number = listener.take()!.release()
    try start("origin") { [self] in accept(FileDescriptor(owning: number)) }
  }

  package var port: Int { Int(address.port ?? 0) }
  /// As an upstream of the configuration names it.
  package var url: String { address.port == nil ? address.description : "http://\(address)" }

  package var requests: [WireMessage] { state.withLock { $0.requests } }
  /// Connections that were accepted so far.
  package var accepted: Int { state.withLock { $0.accepted } }
  package var openConnections: Int { state.withLock { $0.open.count } }
  /// What scripts threw before the origin was stopped.
  package var failures: [String] { state.withLock { $0.failures } }

  /// Waits until so many requests were received.
  package func awaitRequests(_ count: Int, until deadline: Deadline = .usual) throws(WireError) -> [WireMessage] {
    guard deadline.poll({ requests.count >= count }) else { throw .timedOut }
    return requests
  }

  /// Waits until no connection is open.
  package func awaitNoConnection(until deadline: Deadline = .usual) -> Bool { deadline.poll { openConnections == 0 } }

  /// Closes everything, as a process that is killed does, and ends the threads.
  package func stop() {
    state.withLock { state in
      state.isStopped = true
      for stream in state.open.values { stream.interrupt() }
    }
    wakeUp.signal()
    // The thread that accepts may still be starting others: it is the first, and none starts after it has ended.
    var joined = 0
    while let thread = state.withLock({ $0.threads.dropFirst(joined).first }) {
      thread.join()
      joined += 1
    }
  }

  private func start(_ name: String, _ body: @Sendable @escaping () -> Void) throws {
    let thread = try Thread.start(name: name, body)
    state.withLock { $0.threads.append(thread) }
  }

  private func accept(_ listener: consuming FileDescriptor) {
    guard let epoll = try? Epoll(), (try? epoll.addLevel(listener.number, cookie: 0)) != nil,
      (try? epoll.addLevel(wakeUp.number, cookie: 1)) != nil
    else { return }
    while !state.withLock({ $0.isStopped }) {
      _ = epoll.wait(milliseconds: 1000)
      while let accepted = try? SocketCalls.accept(from: listener) { open(accepted.take()) }
    }
  }

  private func open(_ descriptor: consuming FileDescriptor) {
    SocketCalls.setNoDelay(descriptor)
    let stream = ByteStream(descriptor)
    let index = state.withLock { state in
      if state.isStopped { stream.interrupt() }
      state.open[ObjectIdentifier(stream)] = stream
      state.accepted += 1
      return state.accepted
    }
    try? start("connection") { [self] in serve(stream, index: index) }
  }

  private func serve(_ stream: ByteStream, index: Int) {
    let connection = OriginConnection(stream, index: index) { [state] request in
      state.withLock { $0.requests.append(request) }
    }
    do { try script(connection) } catch {
      state.withLock { state in
        if !state.isStopped { state.failures.append("\(error)") }
      }
    }
    // Together: who sees that no connection is open may rely on the end being on its way.
    state.withLock { state in
      stream.close()
      state.open.removeValue(forKey: ObjectIdentifier(stream))
    }
  }
}

/// What an origin's script acts on: one connection from the gateway.
package final class OriginConnection: Opaque {
  package let stream: ByteStream
  package let reader: MessageReader
  /// 1 for the first connection of the origin.
  package let index: Int
  private let record: (WireMessage) -> Void

  init(_ stream: ByteStream, index: Int, record: @escaping (WireMessage) -> Void) {
    self.stream = stream
    self.index = index
    self.record = record
    reader = MessageReader(stream)
  }

  /// The next whole request; nil when the gateway closes.
  package func request() throws -> WireMessage? {
    guard let request = try reader.request() else { return nil }
    record(request)
    return request
  }

  /// The next request's head; its body stays on the wire.
  package func requestHead() throws -> WireMessage? {
    guard let head = try reader.requestHead() else { return nil }
    record(head)
    return head
  }

  package func send(_ text: String) throws { try stream.write(text) }
  package func send(_ bytes: [UInt8]) throws { try stream.write(bytes) }

  /// Answers with a length.
  package func answer(_ status: String = "200 OK", _ fields: [String] = [], body: String = "") throws {
    let lines = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + fields
    try send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
  }

  package func wait(milliseconds: Int32) { Pause.milliseconds(milliseconds) }
  package func reset() { stream.reset() }

  /// Waits until the gateway closes; what it sends until then is dropped.
  package func awaitEnd() { while let bytes = try? stream.read(), !bytes.isEmpty {} }
}
