/// Every keyword of the configuration is in docs/CONFIGURATION.md, and at work in gateway.conf.example.
enum KeywordRule {
  static let reference = "docs/CONFIGURATION.md"
  static let example = "gateway.conf.example"

  /// Keywords that the example cannot use and still run as it stands, and why.
  static let exceptions = [
    "username": "it would need a store that asks for it",
    "password": "it would need a store that asks for it",
    "pseudonym": "it would need a variable that must be set",
    "token": "it would need a variable that must be set",
    "servers": "it would need a name server at an address of its own",
    "keys": "it would need a variable that must be set",
    "replicas": "it would need a second server of tools",
    "authority": "it would need a service that speaks TLS",
    "server_name": "it would need a service that speaks TLS",
    "verify": "it would need a service that speaks TLS",
    "jwks": "it would need a file of keys",
    "cooldown": "it would need an issuer of tokens",
    "refresh": "it would need an issuer of tokens",
    "stale": "it would need an issuer of tokens",
    "client_id": "it would need an issuer of tokens",
    "client_secret": "it would need an issuer of tokens",
    "login": "it would need an issuer of tokens",
    "negative_ttl": "it would need an issuer of tokens",
    "file": "it would need a file of keys",
    "secret": "it would need a variable that must be set",
    "key_id": "it would need a variable that must be set",
    "encoding": "it would need a variable that must be set",
    "moderation": "it would need somebody who judges, which the stand-in does not",
    "topics": "it would need somebody who judges, which the stand-in does not",
    "about": "it would need somebody who judges, which the stand-in does not",
    "of": "it would need somebody who judges, which the stand-in does not",
    "categories": "it would need somebody who judges, which the stand-in does not",
    "client_certificate": "it would need a service that speaks TLS",
  ]

  /// - Parameters:
  ///   - reference: the text of the reference.
  ///   - example: the text of the example; what its comments say does not count.
  static func check(_ file: SourceFile, reference: String, example: String) -> [Offence] {
    guard file.isSwift, file.target != nil else { return [] }
    let used = keys(of: example)
    return keywords(in: file.text).flatMap { name in
      var missing = reference.contains("`\(name)`") ? [] : [Self.reference]
      if !used.contains(name), exceptions[name] == nil { missing.append(Self.example) }
      return missing.map { Offence(path: file.path, line: 0, message: "keyword `\(name)` is not in \($0)") }
    }
  }

  /// The words that stand before a colon outside comments.
  static func keys(of example: String) -> Set<String> {
    var keys: Set<String> = []
    for line in example.split(separator: "\n") {
      let text = line.prefix(upTo: line.firstRange(of: " #")?.lowerBound ?? line.endIndex)
      if text.hasPrefix("#") { continue }
      for match in text.matches(of: /([a-z0-9_]+):(\s|$)/) { keys.insert(String(match.1)) }
    }
    return keys
  }

  /// The names in `Keyword("name", …)`.
  static func keywords(in text: String) -> [String] {
    var names: [String] = []
    for declaration in text.ranges(of: "Keyword(") {
      let rest = text[declaration.upperBound...].drop { $0 == " " || $0 == "\n" }
      guard rest.first == "\"" else { continue }
      names.append(String(rest.dropFirst().prefix { $0 != "\"" }))
    }
    return names
  }
}
