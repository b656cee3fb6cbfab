public import Configuration

extension Compress {
  public struct Settings: Sendable {
    var codings: [ContentCodingName] = [.zstd, .gzip]
    var types = MediaTypePattern.compressible
    var minimum = 1024
    var gzipLevel = 5
    var zstdLevel = 3
  }

  public static let section = Section(
    "compress", Settings(), "Compresses answers for clients that take it.", shorthand: "codings",
    [
      Keyword(
        "codings", \.codings, .list(of: .choice), "What may be used; of what a client likes equally, the first one."),
      Keyword(
        "types", \.types, .list(of: .mediaType), "Content types that are compressed: `text/*`, `application/*+json`."),
      Keyword(
        "minimum", \.minimum, .size(in: 0...(1 << 30)),
        "The shortest body that is compressed; one whose length nobody knows is."),
      Keyword("gzip_level", \.gzipLevel, .integer(in: 1...9), "From 1, fastest, to 9, smallest."),
      Keyword("zstd_level", \.zstdLevel, .integer(in: 1...9), "From 1, fastest, to 9, smallest."),
    ],
    check: { settings, node, reading in
      if !settings.codings.isEmpty { return }
      reading.error("`compress` has no coding", at: node.position, expected: "`codings: [zstd, gzip]`, or neither")
    })
}

extension ValueType where Value == MediaTypePattern {
  fileprivate static var mediaType: ValueType {
    .scalar(
      ScalarShape("media type", expectation: "TYPE/SUBTYPE, TYPE/* or TYPE/*+SUFFIX, such as text/*"), text: \.text
    ) { text throws(ScalarMistake) in
      guard let pattern = MediaTypePattern(text) else { throw .malformed }
      return pattern
    }
  }
}
