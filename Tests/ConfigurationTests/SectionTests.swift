import Testing

@testable import Configuration

@Suite struct SectionTests {
  private func read(_ text: String) -> (settings: Sample, messages: [String]) {
    let (settings, diagnostics) = ReadingFixture.read(Sample.section, text)
    return (settings, diagnostics.sorted.map(\.message))
  }

  @Test func `each keyword is read by its type`() {
    let (sample, messages) = read(
      "{ text: on, time: 2m, size: 1KiB, on: true, mode: careful, list: [A, b], parts: { x: 2KiB, y: { size: 3B } }, path: p/q, count: 2 }"
    )
    #expect(messages.isEmpty)
    #expect(sample.text == "on" && sample.time == .minutes(2) && sample.size == 1024 && sample.isOn)
    #expect(sample.mode == .careful && sample.list == ["a", "b"] && sample.path == "p/q" && sample.count == 2)
    #expect(sample.parts.map(\.name) == ["x", "y"] && sample.parts.map(\.size) == [2048, 3])
    #expect(sample.parts[1].position.column == 92)
  }

  @Test func `what is not said keeps its default`() {
    let (sample, messages) = read("text: a")
    #expect(messages.isEmpty)
    #expect(sample == Sample(text: "a"))
  }

  @Test func `where one thing is said a scalar will do`() {
    #expect(read("only text").settings == Sample(text: "only text"))
    #expect(read("{ text: a, list: One }").settings.list == ["one"])
  }

  @Test(arguments: ["true", "'12'", "2026-11-22", "1_000", "~x", "no"])
  func `text is text whatever it looks like`(_ text: String) {
    #expect(read("text: \(text)").messages.isEmpty)
  }

  @Test func `an unknown key is answered with the nearest word`() {
    let diagnostics = ReadingFixture.read(Sample.section, "{ text: a, tiem: 1s, zzz: 1, sizes: 1B }").diagnostics.sorted
    #expect(
      diagnostics.map(\.message) == [
        "unknown key `tiem` in sample", "unknown key `zzz` in sample", "unknown key `sizes` in sample",
      ])
    #expect(diagnostics.map(\.hint) == ["time", nil, "size"])
  }

  @Test func `a missing key is a mistake, but not beside its misspelling`() {
    #expect(read("{ time: 1s }").messages == ["`text` is missing in sample"])
    #expect(read("{ txet: a }").messages == ["unknown key `txet` in sample"])
    #expect(read("~").messages == ["`text` is missing in sample"])
  }

  @Test func `all mistakes are found at once`() {
    let (sample, messages) = read(
      "{ text: [a], time: 1, size: 2KiB, on: on, mode: fats, list: [a, a b], parts: { 'x y': 1B, z: 0B }, count: 0 }")
    #expect(
      messages == [
        "a list stands where a value belongs", "`1` is no duration", "`2KiB` is out of range", "`on` is no truth value",
        "`fats` is no known word", "`a b` is no field name", "`x y` cannot be a name", "`0B` is out of range",
        "`0` is out of range",
      ])
    #expect(sample == Sample(parts: [Sample.Part(name: "z", position: sample.parts.first?.position ?? .none)]))
  }

  @Test func `a section's own check runs once its keywords are right`() {
    #expect(read("{ text: a, count: 9 }").messages == ["nine is not for samples"])
    #expect(read("{ count: 9 }").messages == ["`text` is missing in sample"])
  }

  @Test(arguments: ["{ text: a, list: { b: c } }", "{ text: a, list: [a, b, c, d] }", "{ text: a, parts: [a] }", "[a]"])
  func `another shape than declared is a mistake`(_ text: String) {
    #expect(read(text).messages.count == 1)
  }

  @Test func `a mistake in the environment is reported once`() {
    #expect(read("{ text: a, count: '${NO}' }").messages == ["`NO` is not set in the environment"])
  }

  @Test func `a plugin is found by its name and keeps its settings`() throws {
    let type = ValueType<String>.plugin(
      [PluginDeclaration(Sample.section)],
      make: { name, settings, _ in "\(name) \((settings as? Sample)?.count ?? 0)" },
      take: { ($0, Sample(text: "x")) })
    let root = try #require(ReadingFixture.document("[{ sample: { text: a, count: 3 } }, { sampel: {} }, sample]").root)
    var reading = ReadingFixture.reading()
    let values = root.elements.map { type.read($0, &reading) }
    #expect(values == ["sample 3", nil, nil])
    #expect(reading.diagnostics.sorted.map(\.message) == ["unknown plugin `sampel`", "this is no plugin"])
    #expect(reading.diagnostics.sorted[0].hint == "sample")
  }

  @Test(arguments: [
    ("ip", RequestValue.ip), ("route", .route), ("header.X-User", .header("x-user")), ("query.a b", nil),
    ("query.a.b", .query("a.b")), ("cookie.session", .cookie("session")), ("path.id", .path("id")), ("header.", nil),
    ("consumer", .consumer), ("user", .user), ("header", nil), ("jwt.sub", .jwt("sub")), ("jwt.", nil), ("body.a", nil),
    ("", nil), ("header.a b", nil),
  ])
  func `a value of the request has a name`(_ text: String, _ value: RequestValue?) {
    #expect(RequestValue(text) == value)
    if let value { #expect(RequestValue(value.text) == value) }
  }
}
