/// One file of the configuration as a tree that lies flat in two arrays: a record for every scalar, list and mapping
/// in the order of the text, and the bytes of all scalars.
///
/// A route takes a dozen nodes and a file may hold 100,000 of them: a class for each would cost more than the
/// parsing.
public final class Document: Sendable {
  /// As it was named, by the command line or by an `include`.
  public let file: String
  /// What relative paths in it are relative to: empty, or ending in `/`.
  public let directory: String
  let records: [Record]
  let text: [UInt8]

  struct Record {
    enum Kind: UInt8 { case scalar, sequence, mapping }

    var kind: Kind
    var flags: Flags
    /// In characters, from 1; a column that does not fit is the largest.
    var column: UInt16
    /// From 1.
    var line: UInt32
    /// Of a scalar: where its bytes begin. Of a list or mapping: the index of the record behind its last.
    var position: UInt32
    /// Of a scalar: its bytes. Of a list: its elements. Of a mapping: its keys and values.
    var count: UInt32
  }

  struct Flags: OptionSet {
    let rawValue: UInt8
    /// Without quotes and not in block style.
    static let plain = Flags(rawValue: 1)
    /// An environment variable stands in it.
    static let expanded = Flags(rawValue: 2)
    /// The default of an environment variable stands in it.
    static let defaulted = Flags(rawValue: 4)
    /// A mistake in it has been reported; whoever reads it need not say more.
    static let broken = Flags(rawValue: 8)
    /// In quotes.
    static let quoted = Flags(rawValue: 16)
    /// A list or mapping in which the text stops being YAML: more may have been meant to stand there.
    static let cut = Flags(rawValue: 32)
    /// Broken only by variables that are not set.
    static let unset = Flags(rawValue: 64)
  }

  init(file: String, records: [Record], text: [UInt8]) {
    self.file = file
    self.directory = FilePath.directory(of: file)
    self.records = records
    self.text = text
  }

  /// The whole, or nil when the file says nothing.
  public var root: Node? { records.isEmpty ? nil : Node(document: self, index: 0) }
}
