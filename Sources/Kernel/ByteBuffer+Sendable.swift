// SAFETY: a buffer's memory belongs to that one value and moves with it; spans cannot outlive a move.
extension ByteBuffer: @unchecked Sendable {}
