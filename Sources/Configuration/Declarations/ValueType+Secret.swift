extension ValueType where Value == Secret {
  /// A secret: from the environment (`${NAME}`), from a file (`file:PATH`), or, with a warning, written down.
  public static var secret: ValueType {
    let shape = ScalarShape(
      "secret", expectation: "a secret as ${NAME} or file:PATH", isSecret: true)
    return ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let text = reading.scalar(node, shape) else { return nil }
        if text.hasPrefix("file:") { return reading.secret(file: String(text.dropFirst(5)), named: node) }
        guard !text.isEmpty else {
          reading.error("this secret is empty", at: node.position, expected: shape.expectation)
          return nil
        }
        if node.isDefaulted {
          reading.warning(
            "a secret has its default, which anybody can read", at: node.position, expected: "${NAME} without a default"
          )
        } else if !node.isExpanded {
          reading.warning("a secret is written in the file", at: node.position, expected: shape.expectation)
        }
        return Secret(text)
      },
      describe: { .secret($0) })
  }
}

extension Reading {
  /// Reads a secret from a file; one line break at its end does not belong to it.
  fileprivate mutating func secret(file: String, named node: Node) -> Secret? {
    let path = FilePath.resolve(file, in: node.document.directory)
    switch files.read(path, ConfigurationLimits.secret) {
    case .failure(let failure):
      error(
        "the secret's file `\(Printable(path))` cannot be read: \(failure.reason)", at: node.position,
        expected: "a file that holds the secret alone, named from where this one stands")
      return nil
    case .success(let bytes):
      var text = String(decoding: bytes, as: UTF8.self)
      if text.utf8.last == UInt8(ascii: "\n") { text = String(text.dropLast()) }
      guard !text.isEmpty else {
        error(
          "the secret's file `\(Printable(path))` is empty", at: node.position, expected: "the secret alone in it")
        return nil
      }
      return Secret(text)
    }
  }
}
