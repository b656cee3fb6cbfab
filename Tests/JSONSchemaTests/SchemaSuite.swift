import JSON
import Foreign

/// The official test suite of JSON Schema, as it lies in its own directory.
enum SchemaSuite {
  struct Test {
    var description: String
    var schema: String
    var data: String
    var isValid: Bool
  }

  static let files = [
    "additionalProperties", "allOf", "anchor", "anyOf", "boolean_schema", "const", "contains", "content", "default",
    "defs", "dependentRequired", "dependentSchemas", "dynamicRef", "enum", "exclusiveMaximum", "exclusiveMinimum",
    "format", "if-then-else", "infinite-loop-detection", "items", "maxContains", "maxItems", "maxLength",
    "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties", "minimum", "multipleOf", "not",
    "oneOf", "pattern", "patternProperties", "prefixItems", "properties", "propertyNames", "ref", "refRemote",
    "required", "type", "unevaluatedItems", "unevaluatedProperties", "uniqueItems", "vocabulary",
  ].map { $0 + ".json" }

  /// Sluice reads one file: no meta-schema, no schema at another address.
  static func needsOtherFiles(_ schema: String) -> Bool {
    schema.contains("http://localhost:1234") && !schema.contains("$id")
      || schema.contains("\"$ref\":\"https://json-schema.org") || schema.contains("\"$ref\": \"https://json-schema.org")
      || schema.contains("metaschema-")
  }

  static func tests(_ path: String) throws -> [Test] {
    let bytes = try TextFiles.read(path, limit: 1 << 22)
    var document = JSONDocument()
    try document.parse(bytes.span)
    func text(_ node: Int, _ document: borrowing JSONDocument) -> String {
      String(decoding: bytes[document.range(node)], as: UTF8.self)
    }
    var found: [Test] = []
    var group = 1
    while group < document.next(0) {
      if let schema = try document.member("schema".utf8Span.span, of: group, in: bytes.span),
        let list = try document.member("tests".utf8Span.span, of: group, in: bytes.span)
      {
        var test = list + 1
        while test < document.next(list) {
          if let data = try document.member("data".utf8Span.span, of: test, in: bytes.span),
            let valid = try document.member("valid".utf8Span.span, of: test, in: bytes.span),
            let description = try document.member("description".utf8Span.span, of: test, in: bytes.span)
          {
            found.append(
              Test(
                description: text(description, document), schema: text(schema, document), data: text(data, document),
                isValid: document.kind(valid) == .yes))
          }
          test = document.next(test)
        }
      }
      group = document.next(group)
    }
    return found
  }
}
