import Kernel

/// Edits of a body by the names that lead to them, so that a document is edited in one walk.
///
/// A node stands for one member. It is replaced, removed or renamed, or edits follow below it, or, where it is a list,
/// within each of its elements; never two of these, which compiling refuses.
struct EditTree: Sendable {
  enum Action: Sendable {
    case remove
    case set(Template)
    /// It gets another name in the same object.
    case rename(encoded: [UInt8])
    /// Another member gets this name, if that one is there.
    case makeWay(for: JSONPath)
    /// It gets the value of another place, if that is there.
    case receive(Template)
  }

  var segment: JSONPath.Segment
  var action: Action?
  var children: [EditTree] = []
  /// For the elements of a list.
  private var elements: [EditTree] = []

  /// The top: the document itself.
  init() { segment = JSONPath.Segment("") }

  private init(_ segment: JSONPath.Segment) { self.segment = segment }

  var each: EditTree? { elements.first }
  var isEmpty: Bool { action == nil && children.isEmpty && elements.isEmpty }

  /// More names than this cannot be edited in one object.
  static let widest = 64

  /// Adds an edit; false when it and another one contradict each other.
  mutating func insert(_ action: Action, at path: JSONPath) -> Bool {
    update(path.segments[...]) { node in
      guard node.isEmpty else { return false }
      node.action = action
      return true
    }
  }

  /// Adds edits for every element of a list.
  mutating func insert(each edits: EditTree, at path: JSONPath) -> Bool {
    update(path.segments[...]) { node in
      guard node.isEmpty else { return false }
      node.elements = [edits]
      return true
    }
  }

  private mutating func update(_ path: ArraySlice<JSONPath.Segment>, _ change: (inout EditTree) -> Bool) -> Bool {
    guard let first = path.first else { return change(&self) }
    guard action == nil, elements.isEmpty else { return false }
    if let index = children.firstIndex(where: { $0.segment == first }) {
      return children[index].update(path.dropFirst(), change)
    }
    guard children.count < Self.widest else { return false }
    var child = EditTree(first)
    guard child.update(path.dropFirst(), change) else { return false }
    children.append(child)
    return true
  }
}
