import JSON

/// A JSON Schema of draft 2020-12, compiled once and shared by all that validate with it.
///
/// References are resolved when it is compiled, so validating follows indexes. `format` and the vocabularies of content and
/// meta-data say nothing that is checked, as the specification has it by default.
public final class Schema: Sendable {
  let program: SchemaProgram
  /// Of each resource (a document or part with an `$id` of its own): where its dynamic anchors lead.
  let dynamicAnchors: [[String: Int]]
  /// Whether anything asks which members and elements other keywords have seen.
  let tracksEvaluation: Bool
  /// Whether anything depends on the way that evaluation has come.
  let tracksResources: Bool

  /// - Parameter text: of the schema.
  public init(_ text: [UInt8]) throws(SchemaMistake) {
    var compiler = SchemaCompiler(text)
    try compiler.compile()
    program = compiler.program
    dynamicAnchors = compiler.dynamicAnchors
    tracksEvaluation = compiler.tracksEvaluation
    tracksResources = !program.anchors.isEmpty
  }
}

/// Why a text is no schema that can be used, and where that shows.
public struct SchemaMistake: Error, Equatable {
  public let message: String
  /// In bytes of the schema's text.
  public let offset: Int
}

/// Kinds of values as bits, for sets of them.
enum SchemaType {
  static let names: [(name: String, bits: UInt8)] = [
    ("null", bit(.null)), ("boolean", bit(.yes) | bit(.no)), ("object", bit(.object)), ("array", bit(.array)),
    ("number", bit(.number)), ("string", bit(.string)), ("integer", integer),
  ]
  /// No kind of its own: a number without a fraction.
  static let integer: UInt8 = 0x80
  static let any: UInt8 = 0x7F

  @inline(__always)
  static func bit(_ kind: JSONDocument.Kind) -> UInt8 { 1 &<< kind.rawValue }
}
