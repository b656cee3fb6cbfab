import JSON
import Kernel
import PluginKit

/// Applies an `EditTree` to a body: one walk over the members that lead to edits, one copy of the bytes.
///
/// Everything is read from the body as it came, so the order in which edits are written does not matter.
struct BodyEditor: ~Copyable {
  var context = BodyContext()
  private var splices = Splices()

  /// Parses the body, so that templates can read it.
  mutating func parse(_ body: Span<UInt8>) throws(JSONError) {
    context.hasDocument = false
    context.item = nil
    try context.document.parse(body)
    context.hasDocument = true
  }

  /// Appends the edited body to `out`; false, with nothing appended, when there was nothing to edit.
  mutating func apply(
    _ tree: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(TransformFailure) -> Bool {
    splices.removeAll()
    context.item = nil
    if let each = tree.each {
      try edit(elementsOf: 0, each, exchange, body)
    } else {
      try edit(node: 0, tree, exchange, body)
    }
    if splices.isEmpty { return false }
    splices.apply(to: body, into: &out)
    return true
  }

  /// Edits within a value: an object, or nothing.
  private mutating func edit(
    node: Int, _ tree: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    if let each = tree.each { return try edit(elementsOf: node, each, exchange, body) }
    guard context.document.kind(node) == .object else {
      var members = ByteBuffer(capacity: 64)
      if try append(membersOf: tree, seen: 0, exchange, body, to: &members) {
        throw .conflict(offset: context.document.range(node).lowerBound)
      }
      return
    }
    try edit(object: node, tree, exchange, body)
  }

  private mutating func edit(
    elementsOf list: Int, _ each: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    guard context.document.kind(list) == .array else { return }
    let outer = context.item
    var node = list + 1
    let end = context.document.next(list)
    while node < end {
      context.item = node
      if context.document.kind(node) == .object { try edit(object: node, each, exchange, body) }
      node = context.document.next(node)
    }
    context.item = outer
  }

  private mutating func edit(
    object: Int, _ tree: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    var seen: UInt64 = 0
    var keepsAny = false
    var lastEnd = context.document.range(object).lowerBound + 1
    var name = object + 1
    let end = context.document.next(object)
    while name < end {
      let value = name + 1
      let next = context.document.next(value)
      let range = context.document.range(name).lowerBound..<context.document.range(value).upperBound
      var isRemoved = false
      if let child = tree.children.firstIndex(where: { context.document.equals(name, $0.segment.name.span, in: body) })
      {
        if seen & 1 << UInt64(child) != 0 { throw .malformed(JSONError(.duplicateName, at: range.lowerBound)) }
        seen |= 1 << UInt64(child)
        isRemoved = try removes(tree.children[child], body)
        if isRemoved {
          let following = next < end ? context.document.range(next).lowerBound : range.upperBound
          splices.remove(keepsAny ? lastEnd..<range.upperBound : range.lowerBound..<following)
        } else {
          try edit(member: name, tree.children[child], exchange, body)
        }
      }
      if !isRemoved { keepsAny = true }
      lastEnd = range.upperBound
      name = next
    }
    var members = ByteBuffer(capacity: 64)
    if try append(membersOf: tree, seen: seen, exchange, body, to: &members) {
      splices.replace(lastEnd..<lastEnd, with: members.span, after: keepsAny ? "," : "")
    }
  }

  private func removes(_ tree: EditTree, _ body: Span<UInt8>) throws(TransformFailure) -> Bool {
    switch tree.action {
    case .remove: return true
    case .makeWay(let path): return try resolve(path, body) != nil
    default: return false
    }
  }

  /// Edits a member that is there and stays.
  private mutating func edit(
    member name: Int, _ tree: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>
  ) throws(TransformFailure) {
    switch tree.action {
    case .remove, .makeWay: break
    case .rename(let encoded): splices.replace(context.document.range(name), with: encoded.span)
    case .set(let template), .receive(let template):
      var value = ByteBuffer(capacity: 64)
      if try append(template, exchange, body, to: &value) {
        splices.replace(context.document.range(name + 1), with: value.span)
      }
    case nil: try edit(node: name + 1, tree, exchange, body)
    }
  }

  /// Appends the members that edits add to an object, with commas between them; false when there are none.
  ///
  /// - Parameter seen: a bit for each child that is there already.
  private mutating func append(
    membersOf tree: EditTree, seen: UInt64, _ exchange: borrowing Exchange, _ body: Span<UInt8>,
    to out: inout ByteBuffer
  ) throws(TransformFailure) -> Bool {
    let start = out.count
    for index in tree.children.indices where seen & 1 << UInt64(index) == 0 {
      let before = out.count
      if before > start { out.append(",") }
      let child = tree.children[index]
      out.append(child.segment.encoded.span)
      out.append(":")
      if try !append(valueOf: child, exchange, body, to: &out) { out.truncate(to: before) }
    }
    return out.count > start
  }

  private mutating func append(
    valueOf tree: EditTree, _ exchange: borrowing Exchange, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(TransformFailure) -> Bool {
    switch tree.action {
    case .remove, .makeWay, .rename: return false
    case .set(let template), .receive(let template): return try append(template, exchange, body, to: &out)
    case nil:
      out.append("{")
      if try !append(membersOf: tree, seen: 0, exchange, body, to: &out) { return false }
      out.append("}")
      return true
    }
  }

  private mutating func append(
    _ template: Template, _ exchange: borrowing Exchange, _ body: Span<UInt8>, to out: inout ByteBuffer
  ) throws(TransformFailure) -> Bool {
    do throws(JSONError) { return try context.append(json: template, exchange, body, to: &out) } catch {
      throw .malformed(error)
    }
  }

  private func resolve(_ path: JSONPath, _ body: Span<UInt8>) throws(TransformFailure) -> Int? {
    do throws(JSONError) { return try context.resolve(path, from: context.item ?? 0, body) } catch {
      throw .malformed(error)
    }
  }
}
