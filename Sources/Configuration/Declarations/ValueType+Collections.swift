extension ValueType {
  /// Any number of values; one may stand alone, without brackets.
  public static func list<Element>(
    of element: ValueType<Element>, minimum: Int = 0, maximum: Int = .max
  ) -> ValueType where Value == [Element] {
    ValueType(
      shape: .list(of: element.shape),
      read: { node, reading in
        if node.isBroken { return nil }
        var values: [Element] = []
        var complete = true
        func add(_ node: Node) {
          if let value = element.read(node, &reading) { values.append(value) } else { complete = false }
        }
        if node.isSequence {
          values.reserveCapacity(node.count)
          for child in node.elements { add(child) }
        } else if !node.isNull {
          add(node)
        }
        guard complete, !node.isCut else { return nil }
        guard values.count >= minimum, values.count <= maximum else {
          let bound = values.count < minimum ? "at least \(minimum)" : "at most \(maximum)"
          reading.error("this list has \(values.count) elements", at: node.position, expected: "\(bound)")
          return nil
        }
        return values
      },
      describe: { .list($0.map(element.describe)) })
  }

  /// A mapping whose keys the author chooses, as values that know their names.
  ///
  /// - Parameters:
  ///   - key: what the keys name, for messages and the reference: `NAME`.
  ///   - locate: tells a value what it is called and where it stands.
  public static func named<Element>(
    _ section: Section<Element>, key: String = "NAME", name: @escaping @Sendable (Element) -> String,
    locate: @escaping @Sendable (inout Element, String, Position) -> Void
  ) -> ValueType where Value == [Element] {
    ValueType(
      shape: .map(key: key, of: .section(section.shape)),
      read: { node, reading in
        guard reading.isMapping(node, of: "`\(key): …`, one for each \(section.name)") else { return nil }
        var values: [Element] = []
        values.reserveCapacity(node.count)
        for entry in node.entries where reading.isName(entry.key) {
          // What is wrong was reported; the rest is still worth checking, by its name at least.
          var value = section.initial
          locate(&value, entry.key.text, entry.key.position)
          section.read(entry.value, into: &value, &reading)
          values.append(value)
        }
        return values
      },
      describe: { values in .group(values.map { (name($0), section.describe($0)) }) })
  }

  /// A mapping from keys to values of one type, in the order of the text.
  public static func map<Key, Element>(
    key: ValueType<Key>, to element: ValueType<Element>, label: String = "NAME"
  ) -> ValueType where Value == [(Key, Element)] {
    ValueType(
      shape: .map(key: label, of: element.shape),
      read: { node, reading in
        guard reading.isMapping(node, of: "`\(label): …` entries") else { return nil }
        var values: [(Key, Element)] = []
        var complete = true
        for entry in node.entries {
          if let name = key.read(entry.key, &reading), let value = element.read(entry.value, &reading) {
            values.append((name, value))
          } else {
            complete = false
          }
        }
        return complete ? values : nil
      },
      describe: { values in
        .group(values.map { (key.describe($0.0).line, element.describe($0.1)) })
      })
  }

  /// What a section reads.
  public static func section(_ section: Section<Value>) -> ValueType {
    ValueType(
      shape: .section(section.shape),
      read: { node, reading in
        var value = section.initial
        section.read(node, into: &value, &reading)
        return value
      },
      describe: { section.describe($0) })
  }

  /// The same type of other values: `convert` reports what it cannot use.
  public func map<Other>(
    _ convert: @escaping @Sendable (Value, Node, inout Reading) -> Other?,
    back: @escaping @Sendable (Other) -> Value
  ) -> ValueType<Other> {
    ValueType<Other>(
      shape: shape,
      read: { [read] node, reading in
        guard let value = read(node, &reading) else { return nil }
        return convert(value, node, &reading)
      },
      describe: { [describe] in describe(back($0)) })
  }
}

extension Reading {
  mutating func isMapping(_ node: Node, of entries: String) -> Bool {
    if node.isMapping || node.isNull { return true }
    if !node.isBroken {
      error(
        "\(node.isSequence ? "a list" : "a value") stands where a mapping belongs", at: node.position,
        expected: entries)
    }
    return false
  }

  /// Whether a key is a name: letters, digits, `.`, `_` and `-`.
  fileprivate mutating func isName(_ node: Node) -> Bool {
    guard node.isScalar else { return false }
    let bytes = node.bytes
    if !bytes.isEmpty, bytes.count <= 200, bytes.allSatisfy(Self.isNameByte) { return true }
    if !bytes.isEmpty {
      error(
        "`\(Printable(node.text))` cannot be a name", at: node.position,
        expected: "at most 200 letters, digits, `.`, `_` and `-`")
    }
    return false
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
