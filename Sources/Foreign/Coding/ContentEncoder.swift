import CZlib
import CZstd
public import Kernel

/// Puts a body into a content coding, piece by piece: gzip by zlib, zstd by libzstd.
///
/// SAFETY: stream, context and block are made in `init`, freed in `deinit`, and used by this value alone.
@safe
public struct ContentEncoder: ~Copyable {
  private let coding: ContentCoding
  /// On the heap, as zlib remembers where its stream lies.
  private let stream: UnsafeMutablePointer<z_stream>?
  private let context: OpaquePointer?
  private let block: UnsafeMutableBufferPointer<UInt8>

  /// - Parameter level: 1, fastest, to 9.
  /// - Returns: nil when there is no memory, or the coding is one that is not written: deflate.
  public init?(_ coding: ContentCoding, level: Int) {
    self.coding = coding
    switch coding {
    case .deflate: return nil
    case .gzip:
      let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
      // SAFETY: a zeroed stream is what zlib wants.
      unsafe made.initialize(to: z_stream())
      guard unsafe cz_deflate_begin(made, Int32(level)) == Z_OK else {
        unsafe made.deallocate()
        return nil
      }
      unsafe stream = made
      unsafe context = nil
    case .zstd:
      // SAFETY: freed in deinit.
      guard let made = unsafe ZSTD_createCCtx() else { return nil }
      _ = unsafe ZSTD_CCtx_setParameter(made, ZSTD_c_compressionLevel, Int32(level))
      // RFC 9659: no decoder need have a window beyond 8 MiB.
      _ = unsafe ZSTD_CCtx_setParameter(made, ZSTD_c_windowLog, 20)
      unsafe context = made
      unsafe stream = nil
    }
    unsafe block = .allocate(capacity: 32 << 10)
  }

  deinit {
    // SAFETY: as the type says.
    if let stream = unsafe stream {
      unsafe _ = deflateEnd(stream)
      unsafe stream.deallocate()
    }
    if let context = unsafe context { unsafe _ = ZSTD_freeCCtx(context) }
    unsafe block.deallocate()
  }

  /// What is to come out after a piece.
  public enum Flush: Sendable {
    /// Whatever the coding finds best.
    case none
    /// Everything so far, so that the reader need not wait for more.
    case sync
    /// Everything, and the end of the coding.
    case end
  }

  /// Appends what came out for these bytes.
  public mutating func encode(_ bytes: Span<UInt8>, _ flush: Flush, into out: inout ByteBuffer) {
    switch coding {
    case .gzip, .deflate: deflate(bytes, flush, into: &out)
    case .zstd: compress(bytes, flush, into: &out)
    }
  }

  private mutating func deflate(_ bytes: Span<UInt8>, _ flush: Flush, into out: inout ByteBuffer) {
    let mode = flush == .none ? Z_NO_FLUSH : flush == .sync ? Z_SYNC_FLUSH : Z_FINISH
    guard let stream = unsafe stream else { return }
    // SAFETY: zlib reads the live span and writes at most our block.
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(clamping: input.count)
      while true {
        unsafe stream.pointee.next_out = block.baseAddress
        unsafe stream.pointee.avail_out = UInt32(block.count)
        let status = unsafe CZlib.deflate(stream, mode)
        let produced = unsafe block.count - Int(stream.pointee.avail_out)
        unsafe out.append(Span(_unsafeElements: UnsafeBufferPointer(rebasing: block[0..<produced])))
        if status == Z_STREAM_END || status != Z_OK { return }
        if unsafe stream.pointee.avail_out > 0, mode != Z_FINISH { return }
      }
    }
  }

  private mutating func compress(_ bytes: Span<UInt8>, _ flush: Flush, into out: inout ByteBuffer) {
    let mode = flush == .none ? ZSTD_e_continue : flush == .sync ? ZSTD_e_flush : ZSTD_e_end
    guard let context = unsafe context else { return }
    // SAFETY: the library reads the live span and writes at most our block.
    unsafe bytes.withUnsafeBufferPointer { input in
      var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
      while true {
        var to = unsafe ZSTD_outBuffer(dst: block.baseAddress, size: block.count, pos: 0)
        let left = unsafe ZSTD_compressStream2(context, &to, &from, mode)
        unsafe out.append(Span(_unsafeElements: UnsafeBufferPointer(rebasing: block[0..<to.pos])))
        if ZSTD_isError(left) != 0 { return }
        if mode == ZSTD_e_continue ? unsafe from.pos == from.size : left == 0 { return }
      }
    }
  }
}
