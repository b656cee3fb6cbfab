import Foreign
import Kernel
import Runtime

/// A client's connection until TLS is agreed on: it holds a socket and a deadline, and nothing of HTTP yet.
///
/// The socket shakes hands by itself; this waits for the outcome, and for the time to be over. A client that does not
/// speak TLS is told so in the clear, in the words of HTTP, because that is what it will speak.
final class ServerHandshake: WakerOwner {
  let socket: TLSSocket
  let listener: ListenerIdentity
  let peer: IPAddress
  private let worker: Worker
  private let waker: Waker
  private var isLeaving = false
  // Its neighbours among those under way.
  fileprivate var older: ServerHandshake?
  fileprivate var newer: ServerHandshake?

  private static let farewellTime = 1_000_000_000
  private static let drainTime = 500_000_000

  init(_ socket: TLSSocket, peer: IPAddress, listener: ListenerIdentity, worker: Worker) {
    self.socket = socket
    self.peer = peer
    self.listener = listener
    self.worker = worker
    waker = Waker(worker.loop)
  }

  func begin() {
    socket.waker = waker
    waker.parkedOwner = self
    waker.isParked = true
    waker.arm(at: worker.loop.now + worker.limits.handshakeTimeout)
  }

  func wokenWhileParked(_ signals: Signals) {
    if isLeaving { return readFarewell(signals) }
    switch socket.handshake {
    case .running: if signals.contains(.deadline) { end("timeout", reset: true) }
    case .done:
      letGo()
      worker.shookHands(self)
    case .failed(let failure):
      if failure.kind == .notTLS { answerPlain() } else { end(failure.kind.rawValue) }
    }
  }

  /// Gives it up, whatever it waits for.
  ///
  /// - Parameter reset: the client need not be told; else what was sent last, such as an alert, still arrives.
  func end(_ outcome: String, reset: Bool = false) {
    letGo()
    if !isLeaving { worker.metrics.shookHands(listener, outcome: outcome, version: "", isResumed: false) }
    socket.close(reset: reset)
    worker.handshakeEnded(self)
  }

  /// The worker drains: whoever has not come far by now is not waited for.
  func hurry() { waker.arm(at: worker.loop.now + Self.drainTime) }

  private func letGo() {
    waker.cancelDeadline()
    waker.isParked = false
    waker.parkedOwner = nil
    socket.waker = nil
  }

  // MARK: Clients that speak something else

  private func answerPlain() {
    worker.metrics.shookHands(listener, outcome: TLSFailure.Kind.notTLS.rawValue, version: "", isResumed: false)
    isLeaving = true
    var answer = ByteBuffer(capacity: 256)
    answer.append("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 57\r\n")
    answer.append("Connection: close\r\n\r\nThis port speaks HTTPS: use https:// instead of http://.\n")
    _ = socket.sendPlain(answer.span)
    socket.shutdownWrite()
    waker.arm(at: worker.loop.now + Self.farewellTime)
    readFarewell([])
  }

  /// Reads what still comes: closing with unread octets would destroy the answer on its way.
  private func readFarewell(_ signals: Signals) {
    if socket.discardPlain(worker.smallBuffers), !signals.contains(.deadline) { return }
    end("")
  }
}

/// The handshakes under way on a worker, oldest first.
struct ServerHandshakes {
  private(set) var count = 0
  private(set) var oldest: ServerHandshake?
  private var newest: ServerHandshake?

  var isEmpty: Bool { count == 0 }

  mutating func append(_ handshake: ServerHandshake) {
    handshake.older = newest
    newest?.newer = handshake
    newest = handshake
    if oldest == nil { oldest = handshake }
    count += 1
  }

  mutating func remove(_ handshake: ServerHandshake) {
    let older = handshake.older
    let newer = handshake.newer
    handshake.older = nil
    handshake.newer = nil
    if let older { older.newer = newer } else { oldest = newer }
    if let newer { newer.older = older } else { newest = older }
    count -= 1
  }

  func forEach(_ body: (ServerHandshake) -> Void) {
    var next = oldest
    while let handshake = next {
      next = handshake.newer
      body(handshake)
    }
  }
}
