import Foreign
import Kernel
import Testing

@Suite struct ContentCodingTests {
  private static let text = Array(String(repeating: "All work and no play. ", count: 5_000).utf8)

  private func encode(_ coding: ContentCoding, pieces: Int) throws -> [UInt8] {
    guard var encoder = ContentEncoder(coding, level: 3) else { throw NoMemory() }
    var out = ByteBuffer()
    let size = Self.text.count / pieces
    for piece in 0..<pieces {
      let end = piece == pieces - 1 ? Self.text.count : (piece + 1) * size
      encoder.encode(Self.text.span.extracting(piece * size..<end), piece % 2 == 0 ? .sync : .none, into: &out)
    }
    encoder.encode(Self.text.span.extracting(0..<0), .end, into: &out)
    return out.span.indices.map { out.span[$0] }
  }

  private struct NoMemory: Error {}

  private func decode(_ bytes: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 20) throws -> [UInt8] {
    var out = ByteBuffer()
    try ContentDecoder.decode(bytes.span, coding, into: &out, limit: limit)
    return out.span.indices.map { out.span[$0] }
  }

  @Test(arguments: [ContentCoding.gzip, .zstd], [1, 2, 7])
  func `what was encoded in pieces is decoded as it was`(coding: ContentCoding, pieces: Int) throws {
    let coded = try encode(coding, pieces: pieces)
    #expect(coded.count < Self.text.count / 4)
    let isSame = try decode(coded, coding) == Self.text
    #expect(isSame)
  }

  @Test(arguments: [ContentCoding.gzip, .zstd])
  func `a body that stands for more than the limit is refused`(coding: ContentCoding) throws {
    let coded = try encode(coding, pieces: 1)
    #expect(throws: ContentDecoder.Failure.tooLarge) { try decode(coded, coding, limit: Self.text.count - 1) }
    #expect(try decode(coded, coding, limit: Self.text.count).count == Self.text.count)
  }

  @Test(arguments: [ContentCoding.gzip, .zstd])
  func `a body that is cut anywhere is malformed`(coding: ContentCoding) throws {
    let coded = try encode(coding, pieces: 1)
    for length in 0..<coded.count {
      #expect(throws: ContentDecoder.Failure.malformed) { try decode(Array(coded[..<length]), coding) }
    }
  }

  @Test(arguments: [ContentCoding.gzip, .deflate, .zstd])
  func `bytes in no coding are malformed`(coding: ContentCoding) {
    #expect(throws: ContentDecoder.Failure.malformed) { try decode(Array("no coding at all".utf8), coding) }
  }

  @Test func `several members of gzip follow each other`() throws {
    let one = try encode(.gzip, pieces: 1)
    #expect(try decode(one + one, .gzip).count == 2 * Self.text.count)
  }
}
