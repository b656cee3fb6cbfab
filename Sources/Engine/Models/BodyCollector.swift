import HTTP
import Kernel
import Runtime

/// Where a body goes that is looked at as a whole, or piece by piece: a transport that keeps what it is sent.
///
/// It takes no more once it holds a piece, so that a fast sender waits for who reads it.
final class BodyCollector: Transport {
  var content: ByteBuffer
  private let piece: Int

  /// - Parameters:
  ///   - piece: octets that are enough for a turn.
  ///   - capacity: octets that it has room for at first.
  init(piece: Int = .max, capacity: Int = 4096) {
    self.piece = piece
    content = ByteBuffer(capacity: capacity)
    super.init()
    isWritable = true
  }

  /// Collects all of a body that is framed so.
  convenience init(_ framing: BodyFraming, piece: Int = .max) {
    let length = if case .length(let count) = framing { count } else { Self.usual }
    self.init(piece: piece, capacity: min(length, Self.mostAtOnce))
  }

  private static let usual = 1024
  /// A length is only what the sender says: more room is made for what has come.
  private static let mostAtOnce = 16 << 10

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

  /// Gives up what was collected, and the room for it.
  func take() -> [UInt8] {
    let bytes = bytes
    content = ByteBuffer(capacity: 0)
    return bytes
  }

  /// What is there, as an array.
  var bytes: [UInt8] { Self.array(content) }

  static func array(_ buffer: borrowing ByteBuffer) -> [UInt8] { Array(copying: buffer.span) }
}
