import Foreign
import JSON
import Kernel

/// Turns the text of a schema into nodes: finds what has an identifier or an anchor, then compiles whatever is reached.
struct SchemaCompiler: ~Copyable {
  private let text: [UInt8]
  var document = JSONDocument()
  var program = SchemaProgram()
  private(set) var dynamicAnchors: [[String: Int]] = []
  private(set) var tracksEvaluation = false

  /// The compiled node of each schema in the text.
  private var compiled: [Int: UInt32] = [:]
  private var pending: [Int] = []
  /// The resource that each schema in the text belongs to, and each resource's identifier and place.
  private var resources: [Int: Int] = [:]
  private var identifiers: [String] = []
  private var roots: [Int] = []
  /// `identifier#anchor` and where that is.
  private var anchors: [String: Int] = [:]
  private var dynamicNodes: [(resource: Int, name: String, node: Int)] = []

  init(_ text: [UInt8]) { self.text = text }

  static let dialect = "https://json-schema.org/draft/2020-12/schema"

  mutating func compile() throws(SchemaMistake) {
    let text = text
    do throws(JSONError) { try document.parse(text.span) } catch {
      throw SchemaMistake(message: "the schema is no JSON: \(error.text)", offset: error.offset)
    }
    if let node = try member("$schema", of: 0), string(node) != Self.dialect, string(node) != Self.dialect + "#" {
      throw mistake("only schemas of draft 2020-12 are read: `$schema` is \(Self.dialect)", node)
    }
    try register(0, resource: nil, base: "")
    _ = try schema(at: 0)
    try compilePending()
    dynamicAnchors = Array(repeating: [:], count: roots.count)
    for anchor in dynamicNodes { dynamicAnchors[anchor.resource][anchor.name] = Int(try schema(at: anchor.node)) }
    try compilePending()
  }

  /// Compiles the rules of what was reached, which reaches further.
  private mutating func compilePending() throws(SchemaMistake) {
    while let node = pending.popLast() {
      let rules = try rules(of: node)
      program.nodes[Int(compiled[node]!)].rules = SchemaProgram.add(rules, to: &program.rules)
    }
  }

  // MARK: Finding schemas

  private static let single = [
    "items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else", "unevaluatedItems",
    "unevaluatedProperties", "contentSchema",
  ]
  private static let lists = ["allOf", "anyOf", "oneOf", "prefixItems"]
  private static let maps = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]

  /// Notes what a schema and those within it are called.
  private mutating func register(_ node: Int, resource: Int?, base: String) throws(SchemaMistake) {
    guard document.kind(node) == .object else { return note(node, resource: resource ?? newResource("", node)) }
    var base = base
    var resource = resource
    if let id = try member("$id", of: node), document.kind(id) == .string {
      base = Reference.resolve(string(id), against: base).withoutFragment
      resource = newResource(base, node)
    }
    let owner = resource ?? newResource(base, node)
    note(node, resource: owner)
    if let anchor = try member("$anchor", of: node) { anchors[base + "#" + string(anchor)] = node }
    if let anchor = try member("$dynamicAnchor", of: node) {
      anchors[base + "#" + string(anchor)] = node
      dynamicNodes.append((owner, string(anchor), node))
    }
    for keyword in Self.single {
      if let child = try member(keyword, of: node) { try register(child, resource: owner, base: base) }
    }
    for keyword in Self.lists {
      guard let list = try member(keyword, of: node), document.kind(list) == .array else { continue }
      for child in children(list) { try register(child, resource: owner, base: base) }
    }
    for keyword in Self.maps {
      guard let map = try member(keyword, of: node), document.kind(map) == .object else { continue }
      for (_, child) in members(map) { try register(child, resource: owner, base: base) }
    }
  }

  private mutating func newResource(_ identifier: String, _ node: Int) -> Int {
    identifiers.append(identifier)
    roots.append(node)
    return roots.count - 1
  }

  private mutating func note(_ node: Int, resource: Int) { resources[node] = resource }

  /// The compiled node of a schema in the text.
  mutating func schema(at node: Int) throws(SchemaMistake) -> UInt32 {
    if let index = compiled[node] { return index }
    guard [.object, .yes, .no].contains(document.kind(node)) else {
      throw mistake("a schema is an object, true or false", node)
    }
    let resource = resources[node] ?? enclosingResource(of: node)
    let index = SchemaProgram.add(SchemaNode(resource: UInt32(resource)), to: &program.nodes)
    compiled[node] = index
    pending.append(node)
    return index
  }

  /// Of a part that no keyword makes a schema, but a reference does: that of the schema around it.
  private func enclosingResource(of node: Int) -> Int {
    var found = (root: 0, resource: 0)
    for (resource, root) in roots.enumerated() where root <= node && node < document.next(root) && root >= found.root {
      found = (root, resource)
    }
    return found.resource
  }

  mutating func noteTracking() { tracksEvaluation = true }

  // MARK: References

  /// The schema in the text that a reference from `node` means.
  func resolve(_ reference: String, from node: Int, _ place: Int) throws(SchemaMistake) -> Int {
    let base = identifiers[resources[node] ?? enclosingResource(of: node)]
    let target = Reference.resolve(reference, against: base)
    let identifier = target.withoutFragment
    let fragment = target.fragment
    if !fragment.isEmpty, !fragment.hasPrefix("/") {
      if let node = anchors[identifier + "#" + fragment] { return node }
      throw mistake("`\(reference)` leads to no anchor of this schema", place)
    }
    guard let resource = identifiers.firstIndex(of: identifier) else {
      throw mistake("`\(reference)` is not in this file: put it under `$defs`", place)
    }
    var found = roots[resource]
    for part in fragment.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let name = Reference.decoded(part)
      let next: Int?
      if document.kind(found) == .array {
        next = Int(name).flatMap { document.element($0, of: found) }
      } else {
        next = try member(name, of: found)
      }
      guard let next else { throw mistake("`\(reference)` leads to nothing in this schema", place) }
      found = next
    }
    return found
  }

  /// The name, if a schema in the text has it as its dynamic anchor.
  func hasDynamicAnchor(_ name: String, _ node: Int) -> Bool {
    dynamicNodes.contains { $0.node == node && $0.name == name }
  }

  // MARK: Reading the text

  func member(_ name: String, of node: Int) throws(SchemaMistake) -> Int? {
    do throws(JSONError) { return try document.member(name.utf8Span.span, of: node, in: text.span) } catch {
      throw SchemaMistake(message: "`\(name)` stands twice in one object", offset: error.offset)
    }
  }

  func string(_ node: Int) -> String {
    document.kind(node) == .string ? String(decoding: bytes(node), as: UTF8.self) : ""
  }

  func bytes(_ node: Int) -> [UInt8] { JSONLiteral.decoded(node, of: document, text.span) }

  func literal(_ node: Int) -> JSONLiteral { JSONLiteral(node, of: document, text.span) }

  func number(_ node: Int) throws(SchemaMistake) -> DecimalNumber {
    guard document.kind(node) == .number else { throw mistake("a number belongs here", node) }
    return DecimalNumber(document.text(node, in: text.span))
  }

  /// Nil for a number that is not plain.
  func plainNumber(_ node: Int) -> PlainNumber? { PlainNumber(document.text(node, in: text.span)) }

  func children(_ node: Int) -> [Int] {
    var found: [Int] = []
    var child = node + 1
    while child < document.next(node) {
      found.append(child)
      child = document.next(child)
    }
    return found
  }

  func members(_ node: Int) -> [(name: Int, value: Int)] {
    var found: [(Int, Int)] = []
    var name = node + 1
    while name < document.next(node) {
      found.append((name, name + 1))
      name = document.next(name + 1)
    }
    return found
  }

  func shown(_ node: Int) -> String {
    let text = String(decoding: text[document.range(node)], as: UTF8.self)
    return text.utf8.count > 200 ? String(text.prefix(200)) + "…" : text
  }

  func mistake(_ message: String, _ node: Int) -> SchemaMistake {
    SchemaMistake(message: message, offset: document.range(node).lowerBound)
  }
}

/// References between schemas: as much of RFC 3986 §5 as identifiers of schemas need.
struct Reference {
  var withoutFragment: String
  var fragment = ""

  static func resolve(_ reference: String, against base: String) -> Reference {
    let parts = reference.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    var result = Reference(withoutFragment: base)
    if parts.count > 1 { result.fragment = percentDecoded(parts[1]) }
    let path = String(parts.first ?? "")
    if path.isEmpty { return result }
    if isAbsolute(path) {
      result.withoutFragment = path
    } else {
      result.withoutFragment = merge(path, base)
    }
    return result
  }

  private static func isAbsolute(_ text: String) -> Bool {
    guard let colon = text.firstIndex(of: ":") else { return false }
    return text[..<colon].utf8.allSatisfy { $0 != UInt8(ascii: "/") }
  }

  private static func merge(_ path: String, _ base: String) -> String {
    guard let scheme = base.firstRange(of: "://") else {
      guard let slash = base.lastIndex(of: "/"), !path.hasPrefix("/") else { return path }
      return String(base[...slash]) + path
    }
    let afterHost = base[scheme.upperBound...].firstIndex(of: "/") ?? base.endIndex
    if path.hasPrefix("//") { return String(base[..<scheme.lowerBound]) + ":" + path }
    if path.hasPrefix("/") { return String(base[..<afterHost]) + path }
    let directory = base[afterHost...].lastIndex(of: "/").map { base[...$0] } ?? base[..<afterHost] + "/"
    var segments: [Substring] = []
    for segment in (directory[afterHost...] + path).split(separator: "/", omittingEmptySubsequences: false) {
      if segment == ".." { _ = segments.popLast() } else if segment != "." { segments.append(segment) }
    }
    return String(base[..<afterHost]) + segments.joined(separator: "/")
  }

  /// A part of a JSON Pointer (RFC 6901 §4).
  static func decoded(_ part: Substring) -> String {
    String(part).split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
      .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
  }

  private static func percentDecoded(_ text: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
