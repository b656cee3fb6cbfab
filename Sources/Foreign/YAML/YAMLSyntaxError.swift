import CYAML

/// Text that is not YAML: what is wrong with it, and where.
public struct YAMLSyntaxError: Error, Equatable {
  /// In libyaml's words: `did not find expected ',' or ']'`.
  public var problem: String
  /// What was being read, or empty: `while parsing a flow sequence`.
  public var context: String
  public var mark: YAMLReader.Mark
  /// Where what was being read begins, when it is known.
  public var contextMark: YAMLReader.Mark?
  /// Instead of the mark, the index of the byte that is no text.
  public var offset: Int?

  init(_ parser: yaml_parser_t) {
    // SAFETY: libyaml points at static text or at nothing.
    unsafe problem = parser.problem.map { unsafe String(cString: $0) } ?? "the text cannot be read"
    unsafe context = parser.context.map { unsafe String(cString: $0) } ?? ""
    mark = unsafe YAMLReader.Mark(parser.problem_mark)
    contextMark = context.isEmpty ? nil : unsafe YAMLReader.Mark(parser.context_mark)
    // The bytes themselves are wrong: then libyaml knows where they are, not their line.
    offset = unsafe parser.error == YAML_READER_ERROR ? parser.problem_offset : nil
  }
}
