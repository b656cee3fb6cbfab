import Configuration

/// Where copies of a route's requests go.
public struct MirrorSettings: Sendable, Equatable {
  /// Index into the gateway's upstreams.
  public var upstream: Int
  public var limits: MirrorDraft.Limits
}

/// The same as it is written, before the name in it is looked up.
public struct MirrorDraft: Sendable {
  public struct Limits: Sendable, Equatable {
    /// Of all requests, 0 to 1.
    public var share = 1.0
    /// Bytes of a body; longer ones are not copied.
    public var body = 64 << 10
    /// Copies under way on one worker.
    public var maximum = 128
  }

  public var upstream: UpstreamReference?
  public var limits = Limits()

  static let section = Section(
    "mirror", MirrorDraft(), "Sends copies of requests to another upstream, whose answers nobody sees.",
    shorthand: "upstream",
    [
      Keyword(
        "upstream", \.upstream, .upstreamReference, required: true, "The name of an upstream, or a target's URL."),
      Keyword("share", \.limits.share, .ratio, "How many of the requests, drawn by chance."),
      Keyword("body", \.limits.body, .size(in: 0...(16 << 20)), "Requests with a longer body are not copied."),
      Keyword(
        "maximum", \.limits.maximum, .integer(in: 1...100_000),
        "Copies under way at a time on one worker; beyond, requests are not copied."),
    ])
}
