import CLZ4

/// Writes one LZ4 frame after another, block by block (the LZ4 frame format, version 1.6.x).
///
/// Blocks are linked and have 256 KiB, the content carries a checksum: `lz4 -t` finds a damaged segment. What comes
/// back is to be written out before the next call.
@safe
public struct LZ4Compressor: ~Copyable {
  /// The library's own word for what went wrong.
  public struct Failure: Error {
    public let reason: String
  }

  private var context: OpaquePointer
  private var preferences = LZ4F_preferences_t()
  private var output: UnsafeMutablePointer<UInt8>
  private var capacity: Int

  /// The most bytes that one `update` takes.
  public let blockSize: Int

  public init(blockSize: Int = 256 << 10) throws(Failure) {
    self.blockSize = blockSize
    preferences.frameInfo.blockSizeID = LZ4F_max256KB
    preferences.frameInfo.blockMode = LZ4F_blockLinked
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
    // SAFETY: the context is ours until deinit frees it; the output block has room for whatever one call can make.
    capacity = unsafe max(LZ4F_compressBound(blockSize, &preferences), Int(LZ4F_HEADER_SIZE_MAX))
    unsafe output = .allocate(capacity: capacity)
    var made: OpaquePointer?
    let code = unsafe LZ4F_createCompressionContext(&made, UInt32(LZ4F_VERSION))
    guard let made = unsafe made, LZ4F_isError(code) == 0 else {
      unsafe output.deallocate()
      throw Failure(reason: "out of memory")
    }
    unsafe context = made
  }

  deinit {
    // SAFETY: made in init, used by this value alone.
    unsafe LZ4F_freeCompressionContext(context)
    unsafe output.deallocate()
  }

  /// Starts a frame.
  @_lifetime(&self)
  public mutating func begin() throws(Failure) -> Span<UInt8> {
    // SAFETY: writes at most `capacity` bytes into our block.
    let count = try LZ4Compressor.check(unsafe LZ4F_compressBegin(context, output, capacity, &preferences))
    return produced(count)
  }

  /// Takes the next bytes in; what comes out may be empty.
  ///
  /// - Parameter bytes: `blockSize` at most.
  @_lifetime(&self)
  public mutating func update(_ bytes: Span<UInt8>) throws(Failure) -> Span<UInt8> {
    precondition(bytes.count <= blockSize)
    // SAFETY: reads a live span, writes at most `capacity` bytes into our block.
    let code = unsafe bytes.withUnsafeBufferPointer { input in
      unsafe LZ4F_compressUpdate(context, output, capacity, input.baseAddress, input.count, nil)
    }
    return produced(try LZ4Compressor.check(code))
  }

  /// Ends the frame: the bytes held back, the end mark and the checksum.
  @_lifetime(&self)
  public mutating func end() throws(Failure) -> Span<UInt8> {
    // SAFETY: writes at most `capacity` bytes into our block.
    produced(try LZ4Compressor.check(unsafe LZ4F_compressEnd(context, output, capacity, nil)))
  }

  @_lifetime(&self)
  private mutating func produced(_ count: Int) -> Span<UInt8> {
    // SAFETY: the library has written `count` bytes; the span holds self until it is gone.
    let span = unsafe Span(_unsafeStart: output, count: count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  private static func check(_ code: Int) throws(Failure) -> Int {
    if LZ4F_isError(code) == 0 { return code }
    // SAFETY: the name is a constant of the library.
    throw Failure(reason: unsafe LZ4F_getErrorName(code).map { unsafe String(cString: $0) } ?? "unknown error")
  }
}
