import Foreign
import Kernel
import Runtime

/// What the HTTP/2 connections of one loop share: memory, and the end of a turn, when all write their frames.
final class HTTP2Context {
  let loop: Loop
  /// For what is read. A connection takes a block and gives it back within one turn.
  let smallBuffers: BufferPool
  /// For frames on their way.
  let largeBuffers: BufferPool
  /// Nanoseconds that a peer may leave frames unread.
  var stallTimeout: Int
  /// Nanoseconds of silence after which a peer with open streams gets a PING; it has half as long to answer.
  var pingAfter: Int
  /// Of the sessions.
  let memory = HTTP2Memory()
  private var toFlush: [HTTP2Channel] = []

  init(_ loop: Loop, small: BufferPool, large: BufferPool, stallTimeout: Int, pingAfter: Int) {
    self.loop = loop
    smallBuffers = small
    largeBuffers = large
    self.stallTimeout = stallTimeout
    self.pingAfter = pingAfter
  }

  /// Has a connection write its frames once everything of this turn is done.
  func flushLater(_ channel: HTTP2Channel) {
    if loop.beforeWait == nil { loop.beforeWait = { [unowned self] in flushAll() } }
    toFlush.append(channel)
  }

  private func flushAll() {
    while let channel = toFlush.popLast() { channel.flush() }
  }
}
