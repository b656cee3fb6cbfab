import Kernel
import Runtime

/// Where a body goes that is looked at as a whole, or piece by piece: a transport that keeps what it is sent.
///
/// It takes no more once it holds a piece, so that a fast sender waits for who reads it.
final class BodyCollector: Transport {
  var content: ByteBuffer
  private let piece: Int

  /// - Parameter piece: octets that are enough for a turn.
  init(piece: Int = .max) {
    self.piece = piece
    content = ByteBuffer(capacity: 4096)
    super.init()
    isWritable = true
  }

  override func send(_ bytes: Span<UInt8>, more: Bool = false) -> IOResult {
    content.append(bytes)
    if content.count >= piece { isWritable = false }
    return .moved(bytes.count)
  }

  /// Forgets what was looked at.
  func clear() {
    content.removeAll()
    isWritable = true
  }

  /// What is there, as an array.
  var bytes: [UInt8] { Self.array(content) }

  static func array(_ buffer: borrowing ByteBuffer) -> [UInt8] {
    let span = buffer.span
    var bytes: [UInt8] = []
    bytes.reserveCapacity(span.count)
    for index in span.indices { bytes.append(span[index]) }
    return bytes
  }
}
