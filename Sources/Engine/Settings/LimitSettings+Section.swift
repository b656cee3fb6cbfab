public import Configuration

extension LimitSettings {
  public static let section = Section(
    "limits", LimitSettings(), "How much a client may ask for, and how slowly.",
    [
      Keyword(
        "request_head", \.requestHead, .size(in: 1024...(1 << 20)), "Request line and fields together; beyond: 431."),
      Keyword("headers", \.headers, .integer(in: 1...1000), "Fields of a request; beyond: 431."),
      Keyword("request_target", \.requestTarget, .size(in: 64...(64 << 10)), "The request target; beyond: 414."),
      Keyword(
        "request_body", \.requestBody, .size(in: 0...(1 << 40)),
        "The body of a request; a larger Content-Length gets 413, a chunked body is aborted when it crosses it."
      ),
      Keyword(
        "head_timeout", \.headTimeout, .duration(in: .milliseconds(10) ... .hours(1)),
        "From the first byte of a request to the end of its head; beyond: 408, and over HTTP/2 the end of the connection."
      ),
      Keyword(
        "idle_timeout", \.idleTimeout, .duration(in: .milliseconds(10) ... .days(1)),
        "How long a connection may wait for its next request."),
      Keyword(
        "body_timeout", \.bodyTimeout, .duration(in: .milliseconds(10) ... .days(1)),
        "The longest silence of a client that sends its body or reads its answer."),
      Keyword(
        "handshake_timeout", \.handshakeTimeout, .duration(in: .milliseconds(10) ... .hours(1)),
        "From the accept of a connection to the end of its TLS handshake; beyond, it is closed."),
      Keyword(
        "handshakes", \.handshakes, .integer(in: 1...1_000_000),
        "TLS handshakes under way on one worker; beyond, the one that waits longest is given up."),
      Keyword(
        "connections", \.connections, .integer(in: 1...4_000_000),
        "Client connections of the whole process; the limit of open files is raised to fit."),
    ] + http2
  ) { limits, node, reading in
    guard limits.requestTarget > limits.requestHead else { return }
    if let written = node.value(for: "request_target") {
      reading.error(
        "a request target of \(ByteSize.text(limits.requestTarget)) does not fit into a head of "
          + ByteSize.text(limits.requestHead), at: written.position, expected: "at most `request_head`")
    } else {
      limits.requestTarget = limits.requestHead
    }
  }

  /// What one HTTP/2 connection may do.
  private static let http2: [Keyword<LimitSettings>] = [
    Keyword(
      "http2_streams", \.http2Streams, .integer(in: 1...1000), "Requests at a time over one HTTP/2 connection."),
    Keyword(
      "http2_resets", \.http2Resets, .integer(in: 10...100_000),
      "Streams that a client may reset at once, and a tenth as many each second; beyond: the connection is closed."),
    Keyword(
      "http2_ping", \.http2Ping, .duration(in: .milliseconds(10) ... .hours(1)),
      "Silence of an HTTP/2 connection with requests under way, of a client's or to a target, after which it gets a "
        + "PING; broken off when nothing is heard for half as long again."),
  ]

  /// Files that the process may have open at a time: for every client connection one to a target, and some for
  /// listeners, logs and the rest.
  public var openFiles: Int { connections * 2 + 256 }
}

extension RouteLimitSettings {
  public static let section = Section(
    "limits", RouteLimitSettings(), "Limits of this route, instead of the gateway's.",
    [
      Keyword("request_body", \.requestBody, .size(in: 0...(1 << 40)), "The body of a request; beyond: 413."),
      Keyword(
        "body_timeout", \.bodyTimeout, .duration(in: .milliseconds(10) ... .days(1)),
        "The longest silence of a client that sends its body or reads its answer."),
    ])
}
