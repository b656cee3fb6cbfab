// long: one pass over the events of the reader, whose state nothing else may touch.

import Foreign

/// Turns the text of one file into a `Document`.
///
/// It reports what YAML allows and this language does not: duplicate keys, anchors and aliases (so no text is larger
/// than it looks), tags, keys that are no text. Those do not end the reading; broken syntax does, and what stands before
/// it is kept, so that its mistakes are told too.
struct DocumentBuilder {
  private let file: String
  private var records: [Document.Record] = []
  private var text: [UInt8] = []
  private var open: [Container] = []
  private var documents = 0

  private struct Container {
    var index: Int
    var isMapping: Bool
  }

  /// Reads a whole file.
  ///
  /// - Returns: the text up to where it stops being YAML; nil when it says too much. Why has been reported.
  static func build(file: String, bytes: [UInt8], reading: inout Reading) -> Document? {
    var builder = DocumentBuilder(file: file)
    builder.records.reserveCapacity(bytes.count / 12)
    builder.text.reserveCapacity(bytes.count)
    var reader = YAMLReader(bytes.span)
    do {
      guard try builder.read(&reader, &reading) else {
        reading.isIncomplete = true
        return nil
      }
    } catch {
      builder.report(error, in: bytes, &reading)
      builder.cut(&reading)
    }
    return Document(file: file, records: builder.records, text: builder.text)
  }

  private init(file: String) { self.file = file }

  private mutating func read(_ reader: inout YAMLReader, _ reading: inout Reading) throws(YAMLSyntaxError) -> Bool {
    while true {
      let event = try reader.next()
      switch event {
      case .end: return true
      case .documentStart:
        documents += 1
        if documents > 1 { return stop("a file holds one document", at: reader.mark, &reading) }
      case .documentEnd: break
      case .scalar, .alias: addScalar(event, &reader, &reading)
      case .mappingStart, .sequenceStart:
        if open.count == ConfigurationLimits.depth {
          return stop("lists and mappings stand too deep in each other", at: reader.mark, &reading)
        }
        addContainer(isMapping: event == .mappingStart, &reader, &reading)
      case .mappingEnd, .sequenceEnd: close(&reading)
      }
      if records.count > ConfigurationLimits.nodes || text.count > ConfigurationLimits.text {
        return stop("the file says too much to be read", at: reader.mark, &reading)
      }
    }
  }

  private func stop(_ message: String, at mark: YAMLReader.Mark, _ reading: inout Reading) -> Bool {
    reading.error(message, at: position(mark))
    return false
  }

  // MARK: Nodes

  private mutating func addScalar(_ event: YAMLReader.Event, _ reader: inout YAMLReader, _ reading: inout Reading) {
    let isKey = isKeyNext
    let start = text.count
    reader.copyScalar(to: &text)
    var flags: Document.Flags = reader.isPlain ? .plain : reader.isQuoted ? .quoted : []
    if event == .alias {
      refuse("aliases are not part of this language", at: reader.mark, &reading)
      flags.insert(.broken)
    }
    checkDecoration(of: reader, &reading)
    if isKey {
      if text.count == start && reader.isPlain && event == .scalar {
        reading.error("a key is missing", at: position(reader.mark), expected: "`key: value`")
      }
    } else {
      expand(from: start, mark: reader.mark, &flags, &reading)
    }
    append(.scalar, flags: flags, mark: reader.mark, position: start, count: text.count - start)
  }

  private mutating func addContainer(isMapping: Bool, _ reader: inout YAMLReader, _ reading: inout Reading) {
    checkDecoration(of: reader, &reading)
    if isKeyNext { reading.error("a key must be text", at: position(reader.mark), expected: "`key: value`") }
    append(isMapping ? .mapping : .sequence, flags: [], mark: reader.mark, position: 0, count: 0)
    open.append(Container(index: records.count - 1, isMapping: isMapping))
  }

  private mutating func append(
    _ kind: Document.Record.Kind, flags: Document.Flags, mark: YAMLReader.Mark, position: Int, count: Int
  ) {
    if let parent = open.last { records[parent.index].count += 1 }
    records.append(
      Document.Record(
        kind: kind, flags: flags, column: UInt16(clamping: mark.column), line: UInt32(clamping: mark.line),
        position: UInt32(clamping: position), count: UInt32(clamping: count)))
  }

  private mutating func close(_ reading: inout Reading) {
    let container = open.removeLast()
    records[container.index].position = UInt32(records.count)
    if container.isMapping { checkKeys(of: container.index, &reading) }
  }

  /// Closes what is open where the text stops being YAML. The last scalar may be half of what was meant.
  private mutating func cut(_ reading: inout Reading) {
    reading.isIncomplete = true
    if let last = records.indices.last, records[last].kind == .scalar { records[last].flags.insert(.broken) }
    while let container = open.last {
      if container.isMapping, !isKeyNext {
        let key = records[records.count - 1]
        append(
          .scalar, flags: [.plain, .broken], mark: YAMLReader.Mark(line: Int(key.line), column: Int(key.column)),
          position: text.count, count: 0)
      }
      records[container.index].flags.insert(.cut)
      close(&reading)
    }
  }

  /// Whether what comes next is the key of an entry.
  private var isKeyNext: Bool {
    guard let parent = open.last, parent.isMapping else { return false }
    return records[parent.index].count.isMultiple(of: 2)
  }

  private func checkDecoration(of reader: borrowing YAMLReader, _ reading: inout Reading) {
    if reader.hasAnchor { refuse("anchors are not part of this language", at: reader.mark, &reading) }
    if reader.hasTag {
      reading.error(
        "tags are not part of this language", at: position(reader.mark),
        expected: "the value alone; its key says what type it has")
    }
  }

  private func refuse(_ message: String, at mark: YAMLReader.Mark, _ reading: inout Reading) {
    reading.error(
      message, at: position(mark), expected: "the value itself, in quotes when it begins with `*` or `&`")
  }

  private func position(_ mark: YAMLReader.Mark) -> Position {
    Position(file: file, line: mark.line, column: mark.column)
  }
}

// MARK: - Environment

extension DocumentBuilder {
  /// Fills the environment into the scalar at the end of the text.
  private mutating func expand(
    from start: Int, mark: YAMLReader.Mark, _ flags: inout Document.Flags, _ reading: inout Reading
  ) {
    guard text[start...].contains(UInt8(ascii: "$")) else { return }
    var expansion = Expansion(Array(text[start...]), isSecret: isSecretNext(reading))
    expansion.run(environment: reading.environment)
    text.removeSubrange(start...)
    text.append(contentsOf: expansion.output)
    if expansion.usedEnvironment { flags.insert(.expanded) }
    if expansion.usedDefault { flags.formUnion([.expanded, .defaulted]) }
    for mistake in expansion.mistakes {
      var diagnostic = Diagnostic(.error, at: position(mark), message: mistake.message, expected: mistake.expected)
      diagnostic.unsetVariable = mistake.unset
      reading.diagnostics.add(diagnostic)
      flags.insert(.broken)
    }
    if !expansion.mistakes.isEmpty, expansion.mistakes.allSatisfy({ $0.unset != nil }) { flags.insert(.unset) }
  }
}

extension DocumentBuilder {
  /// Whether the scalar that comes next is the value of a secret's key, alone or in a list.
  private func isSecretNext(_ reading: Reading) -> Bool {
    guard let parent = open.last else { return false }
    let key = parent.isMapping ? records.count - 1 : parent.index - 1
    guard key >= 0, records[key].kind == .scalar else { return false }
    return reading.diagnostics.hides(String(decoding: bytes(of: key), as: UTF8.self))
  }
}

// MARK: - Duplicate keys

extension DocumentBuilder {
  /// Reports keys that stand twice in the mapping that ends here.
  private func checkKeys(of mapping: Int, _ reading: inout Reading) {
    let keys = KeyIndices(records: records, mapping: mapping)
    if records[mapping].count <= 32 {
      checkFewKeys(Array(keys), &reading)
    } else {
      var seen: [String: Int] = [:]
      seen.reserveCapacity(Int(records[mapping].count) / 2)
      for key in keys where records[key].kind == .scalar {
        let name = String(decoding: bytes(of: key), as: UTF8.self)
        if let first = seen.updateValue(key, forKey: name) { reportDuplicate(key, first: first, &reading) }
      }
    }
  }

  private func checkFewKeys(_ keys: [Int], _ reading: inout Reading) {
    for (order, key) in keys.enumerated() where order > 0 && records[key].kind == .scalar {
      let first = keys[..<order].first { other in
        records[other].kind == .scalar && records[other].count == records[key].count
          && bytes(of: other) == bytes(of: key)
      }
      if let first { reportDuplicate(key, first: first, &reading) }
    }
  }

  private func reportDuplicate(_ key: Int, first: Int, _ reading: inout Reading) {
    let name = String(decoding: bytes(of: key), as: UTF8.self)
    let place = Position(file: file, line: Int(records[key].line), column: Int(records[key].column))
    reading.error("`\(Printable(name))` is said twice", at: place, expected: "one; line \(records[first].line) has it")
  }

  private func bytes(of key: Int) -> ArraySlice<UInt8> {
    text[Int(records[key].position)..<Int(records[key].position) + Int(records[key].count)]
  }

  /// The indices of a mapping's keys.
  private struct KeyIndices: Sequence, IteratorProtocol {
    let records: [Document.Record]
    let end: Int
    var following: Int

    init(records: [Document.Record], mapping: Int) {
      self.records = records
      following = mapping + 1
      end = Int(records[mapping].position)
    }

    mutating func next() -> Int? {
      guard following < end else { return nil }
      let key = following
      following = behind(behind(key))
      return key
    }

    private func behind(_ index: Int) -> Int {
      guard index < end else { return end }
      return records[index].kind == .scalar ? index + 1 : Int(records[index].position)
    }
  }
}

// MARK: - Broken syntax

extension DocumentBuilder {
  private func report(_ error: YAMLSyntaxError, in bytes: [UInt8], _ reading: inout Reading) {
    // A quote that is never closed is noticed at the end of the file; what helps is where it was opened.
    let isOpen = error.problem == "found unexpected end of stream"
    var mark = isOpen ? error.contextMark ?? error.mark : error.mark
    if let offset = error.offset { mark = Self.mark(ofByte: offset, in: bytes) }
    mark = Self.mark(mark, within: bytes)
    var message = "this is not YAML: \(error.problem)"
    if !error.context.isEmpty { message += " \(error.context)" }
    if let context = error.contextMark, context.line != mark.line { message += " that begins in line \(context.line)" }
    let quoted = FlowValue(at: mark, in: bytes).quoted
    let advice = quoted == nil ? Self.advice(for: error) : "quotes around a value that holds a brace"
    reading.error(message, at: position(mark), expected: advice, hint: quoted)
  }

  /// What most often lies behind libyaml's words.
  private static func advice(for error: YAMLSyntaxError) -> String? {
    switch error.problem {
    case "mapping values are not allowed in this context":
      "`key: value`; a value that holds `: ` needs quotes"
    case "did not find expected ',' or ']'", "did not find expected ',' or '}'":
      "a comma or the closing bracket; within [ ] and { } a value that holds one of [ ] { } , needs quotes"
    case "did not find expected alphabetic or numeric character":
      "a value that begins with `*` or `&` in quotes"
    case "found character that cannot start any token":
      "no tab in the indentation, and quotes around a value that begins with %, @ or `"
    case "did not find expected key", "did not find expected '-' indicator", "could not find expected ':'":
      "every key of a mapping in the same column, followed by `: `"
    case "found unexpected end of stream": "the closing quote"
    case "control characters are not allowed", "invalid leading UTF-8 octet", "invalid trailing UTF-8 octet",
      "incomplete UTF-8 octet sequence", "invalid length of a UTF-8 sequence", "invalid Unicode character":
      "UTF-8 text without control characters"
    default: nil
    }
  }

  /// Behind the last text of the file at most: what is missing at its end is looked for on a line that is empty, or none.
  private static func mark(_ mark: YAMLReader.Mark, within bytes: [UInt8]) -> YAMLReader.Mark {
    guard let last = bytes.lastIndex(where: { $0 > 0x20 }) else { return mark }
    let end = Self.mark(ofByte: last + 1, in: bytes)
    return mark.line > end.line ? end : mark
  }

  private static func mark(ofByte offset: Int, in bytes: [UInt8]) -> YAMLReader.Mark {
    let before = bytes.prefix(max(0, offset))
    let line = before.reduce(1) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return YAMLReader.Mark(
      line: line, column: String(decoding: before[start...], as: UTF8.self).unicodeScalars.count + 1)
  }
}
