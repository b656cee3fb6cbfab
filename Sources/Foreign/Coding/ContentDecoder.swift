import CZlib
import CZstd
public import Kernel

/// The content codings (RFC 9110 §8.4.1) that bodies can be taken out of and put into.
public enum ContentCoding: Sendable {
  case gzip
  case deflate
  case zstd
}

/// Takes a whole body out of its content coding, within a bound.
public enum ContentDecoder {
  public enum Failure: Error {
    /// The bytes are not what their coding says.
    case malformed
    /// They stand for more than the limit.
    case tooLarge
  }

  /// Appends what `bytes` stand for.
  ///
  /// - Parameter limit: in bytes of the result; a small body may stand for a huge one.
  public static func decode(
    _ bytes: Span<UInt8>, _ coding: ContentCoding, into out: inout ByteBuffer, limit: Int
  ) throws(Failure) {
    switch coding {
    case .gzip, .deflate: try inflate(bytes, into: &out, limit: limit)
    case .zstd: try decompress(bytes, into: &out, limit: limit)
    }
  }

  private static let chunk = 32 << 10

  private static func inflate(_ bytes: Span<UInt8>, into out: inout ByteBuffer, limit: Int) throws(Failure) {
    var stream = unsafe z_stream()
    // SAFETY: a zeroed stream is what zlib wants; it is ended below.
    guard unsafe cz_inflate_begin(&stream) == Z_OK else { throw .malformed }
    defer { unsafe _ = inflateEnd(&stream) }
    var block = [UInt8](repeating: 0, count: chunk)
    var consumed = 0
    while true {
      var status = Z_OK
      var produced = 0
      // SAFETY: zlib reads the live span from `consumed`, and writes at most the block; both pointers end with the call.
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe block.withUnsafeMutableBufferPointer { output in
          unsafe stream.next_in = UnsafeMutablePointer(mutating: input.baseAddress.map { unsafe $0 + consumed })
          unsafe stream.avail_in = UInt32(clamping: input.count - consumed)
          unsafe stream.next_out = output.baseAddress
          unsafe stream.avail_out = UInt32(output.count)
          let before = unsafe stream.avail_in
          status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
          unsafe consumed += Int(before - stream.avail_in)
          produced = unsafe output.count - Int(stream.avail_out)
        }
      }
      if out.count + produced > limit { throw .tooLarge }
      out.append(block.span.extracting(0..<produced))
      if status == Z_STREAM_END {
        // Members may follow each other (RFC 1952 §2.2).
        if consumed == bytes.count { return }
        // SAFETY: the stream is one that was begun.
        guard unsafe inflateReset(&stream) == Z_OK else { throw .malformed }
      } else if status != Z_OK || (produced == 0 && consumed == bytes.count) {
        throw .malformed
      }
    }
  }

  private static func decompress(_ bytes: Span<UInt8>, into out: inout ByteBuffer, limit: Int) throws(Failure) {
    // SAFETY: made here and freed below.
    guard let context = unsafe ZSTD_createDCtx() else { throw .malformed }
    defer { unsafe _ = ZSTD_freeDCtx(context) }
    // RFC 9659: a window of at most 8 MiB.
    _ = unsafe ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 23)
    var block = [UInt8](repeating: 0, count: chunk)
    var consumed = 0
    var left = 1
    while left != 0 || consumed < bytes.count {
      var produced = 0
      let before = consumed
      // SAFETY: the library reads the live span from `consumed`, and writes at most the block.
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe block.withUnsafeMutableBufferPointer { output in
          var from = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: consumed)
          var to = unsafe ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
          left = unsafe ZSTD_decompressStream(context, &to, &from)
          unsafe (consumed, produced) = (from.pos, to.pos)
        }
      }
      if ZSTD_isError(left) != 0 { throw .malformed }
      if out.count + produced > limit { throw .tooLarge }
      out.append(block.span.extracting(0..<produced))
      if produced == 0, consumed == before { throw .malformed }
    }
  }
}
