import HTTP
import Kernel
import Runtime

/// One direction of a tunnel: octets are read from one side and sent to the other as they are.
///
/// Nothing is read before what was read is sent, and the buffer goes back to its pool whenever the source is silent:
/// a tunnel over which nothing is said holds none.
struct TunnelFlow: ~Copyable {
  enum Failure: Error { case sourceFailed, sinkFailed }

  private var buffer = IOBuffer()
  private(set) var frames = WebSocketFrames()
  /// Reads along; nil: nobody does.
  private var listener: TunnelListener?
  private(set) var received = 0
  private(set) var sent = 0
  /// The source has said that no more comes.
  private(set) var sourceEnded = false
  /// The sink has everything, and was told so.
  private(set) var finished = false
  /// When octets last moved.
  private(set) var lastProgress: Int

  /// Bytes that one call moves before others have their turn.
  private static let turn = 256 << 10

  /// - Parameter rest: what came behind the head, which is the beginning of this direction.
  init(_ rest: Span<UInt8>, pool: BufferPool, now: Int, listener: TunnelListener? = nil) {
    lastProgress = now
    self.listener = listener
    guard !rest.isEmpty else { return }
    buffer.lease(from: pool)
    received = buffer.append(rest)
    precondition(received == rest.count, "blocks of one pool are of one size")
    frames.pass(rest)
    listener?.take(rest)
  }

  /// Whether octets wait for the sink.
  var waitsForSink: Bool { !buffer.isEmpty }

  /// Whether a frame of the gateway's own may be sent now.
  var takesFrame: Bool { buffer.isEmpty && !sourceEnded && frames.isBetweenFrames }

  /// Whether this side has said, by a close frame or by the end of its octets, that the conversation is over.
  var isClosing: Bool { sourceEnded || frames.isClosed }

  /// Moves what can be moved now.
  ///
  /// - Returns: whether there is more that could be moved at once, but others should have their turn first.
  mutating func advance(
    from source: Transport, to sink: Transport, pool: BufferPool, now: Int
  ) throws(Failure) -> Bool {
    let enough = sent + Self.turn
    while !finished {
      while !buffer.isEmpty {
        guard sink.isWritable else { return false }
        let result = sink.send(buffer.readable)
        if result.wouldBlock { return false }
        if result.isError { throw .sinkFailed }
        buffer.consume(result.count)
        sent += result.count
        lastProgress = now
      }
      if sourceEnded {
        sink.shutdownWrite()
        finished = true
      } else {
        guard source.isReadable else { break }
        if sent >= enough { return true }
        buffer.lease(from: pool)
        let result = source.receive(into: &buffer)
        if result.wouldBlock { break }
        if result.isError { throw .sourceFailed }
        sourceEnded = result.isEnd
        received += result.count
        Self.pass(buffer, &frames, listener)
      }
    }
    buffer.return(to: pool)
    return false
  }

  private static func pass(
    _ buffer: borrowing IOBuffer, _ frames: inout WebSocketFrames, _ listener: TunnelListener?
  ) {
    frames.pass(buffer.readable)
    listener?.take(buffer.readable)
  }

  /// Reads what the source still has and drops it; whether it has ended.
  mutating func drop(from source: Transport, pool: BufferPool) -> Bool {
    buffer.lease(from: pool)
    while !sourceEnded, source.isReadable {
      buffer.removeAll()
      let result = source.receive(into: &buffer)
      if result.wouldBlock { break }
      sourceEnded = result.isEnd || result.isError
    }
    buffer.return(to: pool)
    return sourceEnded
  }

  mutating func returnBuffer(to pool: BufferPool) { buffer.return(to: pool) }
}
