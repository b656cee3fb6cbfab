/// How a value of the configuration is written, read and shown.
///
/// Sections are built from these: each keyword names one. `read` reports what is wrong and returns nil; it says
/// nothing about a node in which a mistake was already found.
public struct ValueType<Value: Sendable>: Sendable {
  public let shape: Shape
  public let read: @Sendable (Node, inout Reading) -> Value?
  /// The value as a diff shows it; secrets stay hidden.
  public let describe: @Sendable (Value) -> Description

  public init(
    shape: Shape, read: @escaping @Sendable (Node, inout Reading) -> Value?,
    describe: @escaping @Sendable (Value) -> Description
  ) {
    self.shape = shape
    self.read = read
    self.describe = describe
  }
}

/// Why a scalar is not what it should be.
public enum ScalarMistake: Error {
  /// It is nothing of the kind.
  case malformed
  /// It is nothing of the kind, but looks like something that is.
  case misspelt(meant: String)
  /// It is of the kind, but too large or too small.
  case outOfRange
  /// Something that needs its own words; `expected` instead of the type's expectation. It begins at byte `at` of the
  /// scalar.
  case other(String, expected: String? = nil, at: Int = 0)
}

extension ValueType {
  /// A type whose values are scalars.
  public static func scalar(
    _ shape: ScalarShape, text: @escaping @Sendable (Value) -> String,
    parse: @escaping @Sendable (String) throws(ScalarMistake) -> Value
  ) -> ValueType {
    ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let written = reading.scalar(node, shape) else { return nil }
        do throws(ScalarMistake) {
          return try parse(written)
        } catch {
          reading.report(error, written, in: node, shape)
          return nil
        }
      },
      describe: { .text(text($0)) })
  }
}

extension Reading {
  /// The text of a node that should be a scalar.
  public mutating func scalar(_ node: Node, _ shape: ScalarShape) -> String? {
    if node.isBroken { return nil }
    guard node.isScalar, !node.isNull else {
      let found = node.isNull ? "nothing" : node.isMapping ? "a mapping" : "a list"
      error("\(found) stands where a value belongs", at: node.position, expected: shape.expectation)
      return nil
    }
    return node.text
  }

  /// Reports a mistake at the place within the node where it begins.
  public mutating func report(_ mistake: ScalarMistake, _ written: String, in node: Node, _ shape: ScalarShape) {
    if case .other(_, _, let offset) = mistake {
      report(mistake, written, at: node.position(ofByte: offset), shape)
    } else {
      report(mistake, written, at: node.position, shape)
    }
  }

  public mutating func report(
    _ mistake: ScalarMistake, _ written: String, at position: Position, _ shape: ScalarShape
  ) {
    let shown = shape.isSecret ? "this" : "`\(Printable(written))`"
    switch mistake {
    case .malformed:
      error(
        "\(shown) is no \(shape.noun)", at: position, expected: shape.expectation,
        hint: shape.choices.isEmpty ? nil : nearest(written, in: shape.choices))
    case .misspelt(let meant):
      error("\(shown) is no \(shape.noun)", at: position, expected: shape.expectation, hint: meant)
    case .outOfRange: error("\(shown) is out of range", at: position, expected: shape.expectation)
    case .other(let message, let expected, _):
      error(message, at: position, expected: expected ?? shape.expectation)
    }
  }
}
