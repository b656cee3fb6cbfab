public import Configuration
import Kernel

/// A schema with the name of its file, or with its text where it stands in the configuration.
public struct LoadedSchema: Sendable, Equatable {
  public let schema: Schema
  /// The schema's own text.
  public let text: String
  /// As a diff shows it: another text is another schema.
  public let description: String

  public static func == (a: Self, b: Self) -> Bool { a.text == b.text && a.description == b.description }
}

extension ValueType where Value == LoadedSchema {
  /// A path of a file with a JSON Schema, or the schema itself.
  public static var schema: ValueType {
    let path = ValueType<String>.filePath
    return ValueType(
      shape: .either([path.shape, .anything]),
      read: { node, reading in
        if node.isBroken { return nil }
        guard node.isScalar, !["true", "false"].contains(node.text) else {
          return read(Array(node.json.text.utf8), named: "schema", &reading) { _ in node.position }
        }
        guard let file = path.read(node, &reading) else { return nil }
        switch reading.files.read(file, 4 << 20) {
        case .failure(let failure):
          reading.error("the schema `\(file)` cannot be read: \(failure.reason)", at: node.position)
          return nil
        case .success(let text): return read(text, named: file, &reading) { position(ofByte: $0, in: text, file) }
        }
      },
      describe: { .text($0.description) })
  }

  private static func read(
    _ text: [UInt8], named name: String, _ reading: inout Reading, _ position: (Int) -> Position
  ) -> LoadedSchema? {
    do throws(SchemaMistake) {
      let hash = String(ByteScan.hash(text.span, seed: 1), radix: 16)
      return LoadedSchema(
        schema: try Schema(text), text: String(decoding: text, as: UTF8.self),
        description: "\(name) (\(text.count) bytes, \(hash))")
    } catch {
      reading.error(error.message, at: position(error.offset), expected: "a JSON Schema of draft 2020-12")
      return nil
    }
  }

  private static func position(ofByte offset: Int, in text: [UInt8], _ file: String) -> Position {
    let before = text[..<min(offset, text.count)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return Position(file: file, line: line, column: String(decoding: before[start...], as: UTF8.self).count + 1)
  }
}
