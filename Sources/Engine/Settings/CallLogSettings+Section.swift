public import Configuration

extension CallLogSettings {
  public static let section = Section(
    "call_log", CallLogSettings(), "Where the record of every call goes, and what it holds.", shorthand: "path",
    [
      Keyword(
        "path", \.destination, .callLogDestination, required: true,
        "A directory for current.ndjson and older segments as .ndjson.lz4; or stdout; or off."),
      Keyword(segment),
      Keyword(retain),
      Keyword(headers),
      Keyword(
        "query", \.query, .choice,
        "What of the query is written: names with their values hidden, names alone, or all of it."),
      Keyword(
        "decisions", \.decisions, .boolean, "Whether it is written what each plugin decided, and how long it took."),
    ]
  ) { log, node, reading in
    guard log.retainSize < log.segmentSize else { return }
    reading.error(
      "the log would be deleted before its first segment of \(ByteSize.text(log.segmentSize)) is full",
      at: (node.value(for: "retain") ?? node.value(for: "segment") ?? node).position,
      expected: "a `retain.size` of at least `segment.size`")
  }

  private static let segment = Section(
    "segment", CallLogSettings(), "When a new segment is begun.",
    [
      Keyword("size", \.segmentSize, .size(in: 4096...(1 << 40)), "Once it has so many bytes."),
      Keyword("age", \.segmentAge, .duration(in: .seconds(1) ... .days(365)), "Once it is so old."),
    ])

  private static let retain = Section(
    "retain", CallLogSettings(), "When old segments are deleted.",
    [
      Keyword("size", \.retainSize, .size(in: 4096...(1 << 46)), "Once all together have more bytes."),
      Keyword("age", \.retainAge, .duration(in: .seconds(1) ... .days(3650)), "Once one is older."),
    ])

  private static let headers = Section(
    "headers", CallLogSettings(), "The fields that are written.",
    [
      Keyword("request", \.requestHeaders, .list(of: .loggedField, maximum: 32), "Of the request."),
      Keyword("response", \.responseHeaders, .list(of: .loggedField, maximum: 32), "Of the response."),
    ])
}

extension ValueType where Value == CallLogSettings.Destination {
  fileprivate static var callLogDestination: ValueType {
    ValueType<String>.filePath.map(
      { path, node, _ in
        switch node.text {
        case "stdout": .stdout
        case "off": .off
        default: .directory(path)
        }
      },
      back: { destination in
        switch destination {
        case .stdout: "stdout"
        case .off: "off"
        case .directory(let path): path
        }
      })
  }
}

extension ValueType where Value == String {
  /// A field that may stand in a log; a warning when it often carries a secret.
  fileprivate static var loggedField: ValueType {
    fieldName.map(
      { name, node, reading in
        if ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"].contains(name) {
          reading.warning("`\(name)` carries secrets, which the call log would keep", at: node.position)
        }
        return name
      },
      back: { $0 })
  }
}
