/// Collects a configuration file and all that it includes.
///
/// A path is relative to the file that names it. A file stands at most once in a configuration: what it says would
/// be said twice otherwise, and a circle would have no end.
public struct Inclusion {
  private var documents: [Document] = []
  private var known: Set<String> = []

  /// The file and those it includes, each before what it includes; those that cannot be read have been reported and
  /// are left out.
  public static func collect(file: String, reading: inout Reading) -> [Document] {
    var inclusion = Inclusion()
    inclusion.add(file, from: nil, chain: [], &reading)
    return inclusion.documents
  }

  private init() {}

  private mutating func add(_ file: String, from place: Position?, chain: [String], _ reading: inout Reading) {
    let identity = FilePath.normalized(file)
    let shown = Printable(file)
    let position = place ?? Position(file: file, line: 1, column: 1)
    if chain.contains(identity) {
      reading.error(
        "`\(shown)` includes itself", at: position, expected: "files that do not include each other in a circle")
      return
    }
    guard known.insert(identity).inserted else {
      reading.error("`\(shown)` is included twice", at: position, expected: "one `include` for each file")
      return
    }
    if known.count > ConfigurationLimits.files || chain.count > ConfigurationLimits.inclusions {
      reading.error("too many files include each other", at: position)
      return
    }
    switch reading.files.read(file, ConfigurationLimits.file) {
    case .failure(let failure):
      let expected = "a file, named from where this one stands, or a pattern such as `routes/*.conf`"
      reading.error(
        "`\(shown)` cannot be read: \(failure.reason)", at: position, expected: place == nil ? nil : expected)
      reading.isIncomplete = true
    case .success(let read):
      // Some editors begin UTF-8 with a byte order mark (YAML 1.2.2 §5.2), which is no part of the text.
      let bytes = read.starts(with: [0xef, 0xbb, 0xbf]) ? Array(read.dropFirst(3)) : read
      reading.diagnostics.add(source: file, bytes)
      guard let document = DocumentBuilder.build(file: file, bytes: bytes, reading: &reading) else { return }
      documents.append(document)
      include(from: document, chain: chain + [identity], &reading)
    }
  }

  private mutating func include(from document: Document, chain: [String], _ reading: inout Reading) {
    guard let root = document.root, let value = root.value(for: "include"), !value.isNull else { return }
    for node in value.isSequence ? Array(value.elements) : [value] {
      guard node.isScalar, node.isBroken || !(node.isNull || node.bytes.isEmpty) else {
        reading.error("this names no file", at: node.position, expected: "a path or a pattern such as `routes/*.conf`")
        continue
      }
      if node.isBroken { continue }
      let path = FilePath.resolve(node.text, in: document.directory)
      guard FilePath.isPattern(path) else {
        add(path, from: node.position, chain: chain, &reading)
        continue
      }
      let found = reading.files.matching(path)
      if found.isEmpty { reading.warning("no file matches `\(Printable(path))`", at: node.position) }
      for file in found { add(file, from: node.position, chain: chain, &reading) }
    }
  }
}
