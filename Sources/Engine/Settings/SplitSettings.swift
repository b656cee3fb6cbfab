public import Configuration

/// How the calls of a route are divided among several upstreams.
public struct SplitSettings: Sendable, Equatable {
  public struct Share: Sendable, Equatable {
    /// Index into the gateway's upstreams.
    public var upstream: Int
    /// In proportion to the others'; 0: none.
    public var weight: Int
  }

  public enum Key: Sendable, Equatable {
    case random
    /// Calls that agree in it go the same way; one without it goes a random way.
    case value(RequestValue)

    /// As the configuration writes it.
    public var text: String {
      switch self {
      case .random: "random"
      case .value(let value): value.text
      }
    }
  }

  public var by: Key
  public var to: [Share]

  public init(by: Key = .random, to: [Share] = []) {
    self.by = by
    self.to = to
  }
}

/// A split as it is written, before the names in it are looked up.
public struct SplitDraft: Sendable {
  public struct Part: Sendable {
    public var upstream: UpstreamReference?
    public var weight = 1
  }

  public var by = SplitSettings.Key.random
  public var to: [Part] = []

  static let section = Section(
    "split", SplitDraft(), "Divides the calls of a route among several upstreams.",
    [
      Keyword(
        "by", \.by, .splitKey,
        "random, or a value of the request: calls that agree in it go the same way, those without it a random one."),
      Keyword(
        "to", \.to, .list(of: .section(part), minimum: 1, maximum: 64), required: true,
        "The upstreams with their weights."),
    ],
    check: { split, node, reading in
      guard !split.to.isEmpty, split.to.allSatisfy({ $0.weight == 0 }) else { return }
      reading.error(
        "no upstream of this split gets anything", at: (node.value(for: "to") ?? node).position,
        expected: "a `weight` above 0")
    })

  private static let part = Section(
    "share", Part(), "One upstream of a split.",
    [
      Keyword(
        "upstream", \.upstream, .upstreamReference, required: true, "The name of an upstream, or a target's URL."),
      Keyword(
        "weight", \.weight, .integer(in: 0...1_000_000),
        "Its share beside the others'; 0 gives it nothing. With weights that sum up to 100 they are per cent."),
    ])
}

extension ValueType where Value == SplitSettings.Key {
  static var splitKey: ValueType {
    let value = ValueType<RequestValue>.requestValue
    return ValueType(
      shape: .scalar(
        ScalarShape(
          "way to split", expectation: "random, ip, user, consumer, header.NAME, cookie.NAME or query.NAME",
          schema: [
            ("type", .string("string")),
            ("pattern", .string(#"^(random|consumer|user|ip|route|(header|query|cookie|path)\..+)$"#)),
          ])),
      read: { node, reading in
        if node.isScalar, node.text == "random" { return .random }
        return value.read(node, &reading).map { .value($0) }
      },
      describe: { .text($0.text) })
  }
}
