import HTTP
import Kernel
import PluginKit
import Runtime

/// Two connections that were upgraded to another protocol: octets go both ways until one side ends it.
///
/// It has no task. Both sockets ring the connection's waker, and whatever can be moved is moved from the loop, so
/// that a silent tunnel costs two sockets, a deadline and its record.
final class Tunnel {
  /// Who ended it first.
  enum Side {
    case client, upstream, gateway

    var word: StaticString {
      switch self {
      case .client: "client"
      case .upstream: "upstream"
      case .gateway: "gateway"
      }
    }
  }

  private let connection: ServerConnection
  private let slot: ExchangeSlot
  private let lease: UpstreamConnection
  private let pool: BufferPool
  private var upward: TunnelFlow
  private var downward: TunnelFlow
  /// The longest silence, and the longest that octets may wait for the one who is to read them.
  private let idle: Int
  private let stall: Int
  private let began: Int
  private var closedBy: Side?
  private let listener: TunnelListener?
  /// The code of the gateway's own close frame.
  private var ownCode = Tunnel.goingAway
  /// Once the gateway has said goodbye: until when it waits for the two to leave.
  private var leavesAt: Int?

  /// How long one side may be silent after the other has ended.
  private static let halfClosedTime = 30_000_000_000
  private static let farewellTime = 500_000_000
  /// A close code: the endpoint is going away (RFC 6455 §7.4.1).
  private static let goingAway = 1001
  /// A close code: what the conversation does is against a rule.
  private static let policyViolation = 1008

  /// - Parameters:
  ///   - slot: is the tunnel's until it ends, as its record is written then.
  ///   - idle: nanoseconds of silence after which it is closed.
  init(_ connection: ServerConnection, _ slot: ExchangeSlot, _ lease: UpstreamConnection, idle: Int) {
    let worker = connection.worker
    self.connection = connection
    self.slot = slot
    self.lease = lease
    self.idle = idle
    pool = worker.smallBuffers
    stall = worker.limits.bodyTimeout
    began = worker.loop.now
    upward = TunnelFlow(slot.exchange.request.buffer.readable, pool: pool, now: began)
    listener = slot.pass.map(RealtimeListener.init)
    downward = TunnelFlow(slot.exchange.response.buffer.readable, pool: pool, now: began, listener: listener)
    slot.keepHeadsOnly(pool)
    worker.metrics.tunnelOpened(slot)
  }

  /// Takes the connection over from the task that upgraded it.
  func begin() {
    connection.waker.isParked = true
    _ = connection.waker.take()
    move()
  }

  /// Something happened on either side, or a deadline passed. A drain lets tunnels go on until its limit.
  func woken() {
    if leavesAt != nil { return awaitLeave() }
    let now = connection.worker.loop.now
    if now >= deadline { return giveUp(stalled: now >= stallDeadline) }
    move()
  }

  private func move() {
    let now = connection.worker.loop.now
    let client = connection.socket
    let target = lease.socket
    var hasMore = false
    do {
      hasMore = try upward.advance(from: client, to: target, pool: pool, now: now)
    } catch { return broken(by: error == .sourceFailed ? .client : .upstream) }
    if upward.isClosing { closedBy = closedBy ?? .client }
    do {
      hasMore = try downward.advance(from: target, to: client, pool: pool, now: now) || hasMore
    } catch { return broken(by: error == .sourceFailed ? .upstream : .client) }
    if downward.isClosing { closedBy = closedBy ?? .upstream }
    // What the client is told stands between two frames.
    if closedBy == nil, downward.takesFrame, let ending = listener?.ending {
      slot.exchange.fault = ending.fault
      ownCode = Self.policyViolation
      return leave(saying: ending.text)
    }
    if upward.finished, downward.finished { return end() }
    connection.waker.arm(at: deadline)
    if hasMore { connection.worker.loop.start(connection) { $0.waker.ring(.message) } }
  }

  private var deadline: Int {
    let silence = upward.finished || downward.finished ? min(idle, Self.halfClosedTime) : idle
    return min(max(upward.lastProgress, downward.lastProgress) + silence, stallDeadline)
  }

  /// Until when octets may wait for the one who is to read them.
  private var stallDeadline: Int {
    let up = upward.waitsForSink ? upward.lastProgress + stall : .max
    let down = downward.waitsForSink ? downward.lastProgress + stall : .max
    return min(up, down)
  }

  private func giveUp(stalled: Bool) {
    if upward.finished || downward.finished { return end() }
    guard stalled else {
      slot.exchange.fault = .tunnelIdle
      return leave()
    }
    slot.exchange.fault = downward.waitsForSink ? .clientStalled : .idleTimeout
    closedBy = closedBy ?? .gateway
    end(reset: true)
  }

  /// A connection broke: the other is broken too, unless it had been told that nothing more comes.
  private func broken(by side: Side) {
    closedBy = closedBy ?? side
    end(reset: !upward.finished && !downward.finished)
  }

  /// The drain waits no longer.
  func cut() {
    guard leavesAt == nil else { return }
    slot.exchange.fault = .cutByDrain
    leave()
  }

  /// Says goodbye to both sides, where no frame is under way, and gives them a moment to leave: closing at once would
  /// destroy the goodbye.
  ///
  /// - Parameter text: what the client is told before.
  private func leave(saying text: [UInt8] = []) {
    closedBy = closedBy ?? .gateway
    say(text, ownCode, to: connection.socket, takesFrame: downward.takesFrame, mask: nil)
    let mask = UInt32(truncatingIfNeeded: connection.worker.random.next())
    say([], Self.goingAway, to: lease.socket, takesFrame: upward.takesFrame, mask: mask)
    connection.socket.shutdownWrite()
    lease.socket.shutdownWrite()
    let until = connection.worker.loop.now + Self.farewellTime
    leavesAt = until
    connection.waker.arm(at: until)
    awaitLeave()
  }

  private func say(_ text: [UInt8], _ code: Int, to sink: Transport, takesFrame: Bool, mask: UInt32?) {
    guard takesFrame, sink.isWritable else { return }
    var frame = ByteBuffer(capacity: 16 + text.count)
    if !text.isEmpty { WebSocketFrames.appendText(text, to: &frame) }
    WebSocketFrames.appendClose(code, mask: mask, to: &frame)
    _ = sink.send(frame.span)
  }

  /// What carried the client's side is closed: of those that were told goodbye nobody is waited for any more.
  func clientIsGone() { end() }

  private func awaitLeave() {
    let clientLeft = upward.drop(from: connection.socket, pool: pool)
    let targetLeft = downward.drop(from: lease.socket, pool: pool)
    if clientLeft && targetLeft || connection.worker.loop.now >= leavesAt ?? 0 { end() }
  }

  private func end(reset: Bool = false) {
    let worker = connection.worker
    upward.returnBuffer(to: pool)
    downward.returnBuffer(to: pool)
    slot.account.bytesIn = upward.received
    slot.account.bytesOut += downward.sent
    slot.account.closedBy = closedBy
    slot.account.closeCode = closeCode
    connection.waited += worker.loop.now - began
    worker.metrics.tunnelClosed(slot)
    lease.socket.close(reset: reset)
    lease.pool.close(lease)
    connection.finish(slot)
    worker.returnSlot(slot)
    connection.tunnel = nil
    connection.close(reset: reset)
  }

  /// The code of the close frame that came first.
  private var closeCode: Int? {
    switch closedBy {
    case .gateway: ownCode
    case .upstream: downward.frames.closeCode ?? upward.frames.closeCode
    default: upward.frames.closeCode ?? downward.frames.closeCode
    }
  }
}
