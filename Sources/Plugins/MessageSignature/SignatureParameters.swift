import HTTP

/// What a signature says of itself (RFC 9421 §2.3): what it covers, when and with which key it was made.
struct SignatureParameters {
  /// Names of fields in lower case, and derived components with `@`.
  let components: [String]
  let created: Int?
  let expires: Int?
  let keyID: String?
  let algorithm: String?
  let tag: String?

  private static let mostComponents = 64

  init(_ member: StructuredMember) throws(SignatureMistake) {
    guard case .list(let elements) = member.value, elements.count <= Self.mostComponents else { throw .malformed }
    var components: [String] = []
    for element in elements {
      guard case .string(let name) = element.item, !name.isEmpty, !components.contains(name) else { throw .malformed }
      // Parameters of components make other values of the same field; none of them is read.
      guard element.parameters.isEmpty else { throw .component }
      components.append(name)
    }
    self.components = components
    created = try Self.integer("created", member)
    expires = try Self.integer("expires", member)
    keyID = try Self.string("keyid", member)
    algorithm = try Self.string("alg", member)
    tag = try Self.string("tag", member)
    _ = try Self.string("nonce", member)
  }

  /// Whether the signature covers a component, by itself or by one that holds it.
  func covers(_ component: String) -> Bool {
    if components.contains(component) { return true }
    switch component {
    case "@authority", "@scheme": return components.contains("@target-uri")
    case "@path", "@query": return components.contains("@target-uri") || components.contains("@request-target")
    default: return false
    }
  }

  private static func integer(_ name: String, _ member: StructuredMember) throws(SignatureMistake) -> Int? {
    switch member.parameters.first(where: { $0.name == name })?.value {
    case nil: return nil
    case .integer(let number): return number
    default: throw .malformed
    }
  }

  private static func string(_ name: String, _ member: StructuredMember) throws(SignatureMistake) -> String? {
    switch member.parameters.first(where: { $0.name == name })?.value {
    case nil: return nil
    case .string(let text): return text
    default: throw .malformed
    }
  }
}
