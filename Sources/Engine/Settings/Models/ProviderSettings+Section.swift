import Configuration

extension ProviderSettings {
  static let section = Section(
    "provider", ProviderSettings(name: ""), "Who runs models.", shorthand: "url",
    [
      Keyword(
        "dialect", \.dialect, .choice,
        "What it speaks; openai, the default, is everything that is compatible, azure the same under its own paths, cohere the same but for its own embeddings."
      ),
      Keyword("preset", \.preset, .choice, "A provider whose address and dialect are known."),
      Keyword(
        "url", \.url, .providerURL,
        "Where it is, up to what its dialect's own paths follow: https://api.openai.com/v1, https://api.anthropic.com."),
      Keyword("keys", \.keys, .providerKeys, "Its API keys, which are used in turn."),
      Keyword("key_rest", \.keyRest, .section(keyRest), "How long a key is left alone that it refuses or limits."),
      Keyword(
        "circuit_breaker", \.circuitBreaker,
        .section(
          CircuitBreakerSettings.section(
            ProviderSettings(name: "").circuitBreaker, "When a model that fails too often is passed over.")),
        "When a model of it that fails too often is passed over, each by itself."),
      Keyword(
        "optional", \.isOptional, .boolean,
        "Whether it is left out where a variable of it is not set, or those of all its keys; `check` says so."),
      Keyword(
        "thoughts", \.thoughts, .choice,
        "Of openai: the member of an assistant's message that takes what the model thought before, where another dialect's client sends it back; thinking is a piece of the content, and with none such a conversation is refused. Presets know it; of a bare `url` it is reasoning_content."
      ),
      Keyword(
        "responses", \.responses, .boolean,
        "Of openai and azure: whether clients of Responses get the provider's own, with its store and its tools, where no guardrails read; otherwise they get Chat Completions in the shape of Responses. Without it: of OpenAI itself."
      ),
      Keyword("api_version", \.apiVersion, .queryWord, "Of azure: the version of its API."),
      Keyword("region", \.region, .hostWord, "Of bedrock: the region, which makes its address."),
      Keyword("access_key", \.accessKey, .providerKey, "Of bedrock: the id of the access key."),
      Keyword("secret_key", \.secretKey, .providerKey, "Of bedrock: the secret that belongs to it."),
      Keyword(
        "session_token", \.sessionToken, .optionalKey, "Of bedrock: the token of a session; none where it is empty."),
    ],
    check: { provider, node, reading in
      provider.isMissing = provider.isOptional && Self.isMissing(node)
      if !provider.isMissing { provider.check(node, &reading) }
    })

  private static let keyRest = Section(
    "key_rest", KeyRestSettings(), "How long a key is left alone.",
    [
      Keyword(
        "refused", \.refused, .duration(in: .seconds(1) ... .hours(24)), "One that the provider refuses (401, 403)."),
      Keyword(
        "limited", \.limited, .duration(in: .milliseconds(100) ... .hours(24)),
        "One that it limits (429), where it does not say for how long."),
    ])

  private func check(_ node: Node, _ reading: inout Reading) {
    if endpoint == nil {
      reading.error(
        "nothing says where the provider `\(Printable(name))` is", at: node.position,
        expected: speaks == .bedrock ? "`region: …`" : "`url: …` or `preset: …`")
    }
    if speaks == .bedrock, region == nil || accessKey == nil || secretKey == nil {
      reading.error(
        "bedrock asks for a signature", at: node.position, expected: "`region`, `access_key` and `secret_key`")
    }
    if responses == true, speaks != .openai, speaks != .azure {
      reading.error(
        "a provider that speaks \(speaks) has no Responses", at: node.position, expected: "no `responses`")
    }
    if speaks == .azure, apiVersion == nil {
      reading.error("azure asks for a version", at: node.position, expected: "`api_version: \"2024-10-21\"`")
    }
  }

  /// Whether something is not set that the provider cannot do without: of several keys one is enough.
  private static func isMissing(_ node: Node) -> Bool {
    if node.isUnset { return true }
    return node.entries.contains { key, value in
      guard key.text == "keys", value.isSequence else { return value.isUnset }
      return value.count > 0 && value.elements.allSatisfy(\.isUnset)
    }
  }

  /// Takes back that variables are not set which optional providers name, and notes what that means for them.
  static func forgiveUnset(in documents: [Document], _ reading: inout Reading) {
    for document in documents {
      guard let providers = document.root?.value(for: "ai")?.value(for: "providers") else { continue }
      for (name, provider) in providers.entries where provider.value(for: "optional")?.text == "true" {
        let names = reading.withdrawUnset(in: provider)
        if names.isEmpty { continue }
        let isMissing = isMissing(provider)
        let subject = names.count == 1 ? "`\(names[0])` is" : names.map { "`\($0)`" }.joined(separator: ", ") + " are"
        reading.note(
          "the provider `\(Printable(name.text))` \(isMissing ? "is left out" : "goes with fewer keys"): \(subject) not set",
          at: name.position)
      }
    }
  }
}

extension ValueType where Value == [Secret] {
  /// Keys; those whose variables are not set are passed over. Where that is a mistake it has been reported.
  fileprivate static var providerKeys: ValueType {
    let key = ValueType<Secret>.providerKey
    let list = ValueType<[Secret]>.list(of: key, maximum: 100)
    return ValueType(
      shape: list.shape,
      read: { node, reading in
        guard node.isSequence, node.elements.contains(where: \.isUnset) else { return list.read(node, &reading) }
        return node.elements.compactMap { $0.isUnset ? nil : key.read($0, &reading) }
      }, describe: list.describe)
  }
}

extension ValueType where Value == Secret {
  /// A secret that fits a field of a request.
  fileprivate static var providerKey: ValueType {
    let secret = ValueType<Secret>.secret
    return ValueType(
      shape: secret.shape,
      read: { node, reading in
        guard let key = secret.read(node, &reading) else { return nil }
        guard key.reveal().utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
          reading.error("this key has octets that no key has", at: node.position, expected: "printable ASCII")
          return nil
        }
        return key
      }, describe: secret.describe)
  }

  /// The same, where nothing means none.
  fileprivate static var optionalKey: ValueType {
    let key = providerKey
    return ValueType(
      shape: key.shape,
      read: { node, reading in node.isScalar && node.text.isEmpty && !node.isBroken ? nil : key.read(node, &reading) },
      describe: key.describe)
  }
}

extension ValueType where Value == String {
  /// What stands in a query as it is.
  fileprivate static var queryWord: ValueType { word("version", "such as 2024-10-21") }
  /// What stands in a host's name.
  fileprivate static var hostWord: ValueType { word("region", "such as eu-central-1") }

  private static func word(_ name: String, _ example: String) -> ValueType {
    let shape = ScalarShape(name, expectation: "letters, digits and `-`, \(example)")
    return scalar(shape, text: { $0 }) { text throws(ScalarMistake) in
      guard (1...60).contains(text.utf8.count),
        text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) || ($0 | 0x20) &- 0x61 < 26 })
      else { throw .malformed }
      return text
    }
  }
}

extension ValueType where Value == ProviderURL {
  fileprivate static var providerURL: ValueType {
    let shape = ScalarShape("URL", expectation: "http://HOST:PORT/PATH or https://HOST:PORT/PATH")
    return scalar(shape, text: { "\($0.target.isSecure ? "https" : "http")://\($0.target.name)\($0.path)" }) {
      text throws(ScalarMistake) in try ProviderURL.parse(text)
    }
  }
}
