extension Array where Element == UInt8 {
  /// A copy of bytes, made in one move: going through them one by one is what copying costs otherwise.
  public init(copying bytes: Span<UInt8>) {
    self = unsafe Array(unsafeUninitializedCapacity: bytes.count) { target, count in
      // SAFETY: the target has room for as many bytes as the live span has, and all of them are initialised.
      count = unsafe bytes.withUnsafeBufferPointer { unsafe target.initialize(fromContentsOf: $0) }
    }
  }
}
