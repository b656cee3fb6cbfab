import Kernel
import PluginKit
import Runtime

/// How a connection ends.
extension ServerConnection {
  /// Ends whatever goes on, at once: to a task it is as if its time for the whole call were over.
  func cut() {
    isCut = true
    if let tunnel { return tunnel.cut() }
    guard awaited == nil else { return waker.ring(.cut) }
    guard !waker.isParked else { return close(reset: true) }
    totalDeadline = worker.loop.now
    waker.ring([.cut, .deadline])
  }

  func close(reset: Bool = false) {
    guard !isClosed else { return }
    isClosed = true
    waker.cancelDeadline()
    waker.isParked = false
    waker.parkedOwner = nil
    socket.close(reset: reset)
    if let carrier { carrier.closed(self) } else { worker.closed(self) }
  }

  /// Tells the client that no more comes, and reads what it still sends for a moment: closing with unread bytes
  /// would reset the connection and destroy the answer on its way (RFC 9112 §9.6).
  func closeGracefully(_ slot: ExchangeSlot) async {
    if mayBeSent(slot) {
      socket.shutdownWrite()
      let deadline = worker.loop.now + Self.lingerTime
      var budget = Self.lingerBytes
      slot.exchange.request.buffer.lease(from: worker.smallBuffers)
      while budget > 0, worker.loop.now < deadline, !isCut {
        slot.exchange.request.buffer.removeAll()
        let result = socket.receive(into: &slot.exchange.request.buffer)
        if result.isEnd || result.isError { break }
        budget -= result.count
        if !socket.isReadable { _ = await waker.wait(until: deadline) }
      }
    }
    close()
  }

  /// Whether the client may still be sending what nobody will read, and be on its way to an answer: the rest of its
  /// request, or others behind it.
  func mayBeSent(_ slot: ExchangeSlot) -> Bool {
    guard slot.account.status > 0, !slot.account.clientGone, !socket.isPeerClosed else { return false }
    return !slot.account.requestComplete || slot.exchange.fault?.closes == true || socket.isReadable
      || !slot.exchange.request.buffer.isEmpty || !slot.upload.surplus.isEmpty
  }

  private static let lingerTime = 2_000_000_000
  private static let lingerBytes = 8 << 20
}
