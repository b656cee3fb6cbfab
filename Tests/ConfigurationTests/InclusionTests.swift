import Testing

@testable import Configuration

@Suite struct InclusionTests {
  private func collect(_ files: [String: String], from file: String = "gateway.conf") -> (
    files: [String], messages: [String]
  ) {
    var reading = ReadingFixture.reading(files)
    let documents = Inclusion.collect(file: file, reading: &reading)
    return (documents.map(\.file), reading.diagnostics.sorted.map(\.message))
  }

  @Test func `paths are relative to the file that names them`() {
    let (files, messages) = collect(
      [
        "etc/gateway.conf": "include: [parts/a.conf, ./b.conf, /abs/c.conf]", "etc/parts/a.conf": "include: ../d.conf",
        "etc/b.conf": "", "/abs/c.conf": "x: y", "etc/parts/../d.conf": "",
      ], from: "etc/gateway.conf")
    #expect(messages.isEmpty)
    #expect(files == ["etc/gateway.conf", "etc/parts/a.conf", "etc/parts/../d.conf", "etc/b.conf", "/abs/c.conf"])
  }

  @Test func `a pattern includes what it matches, in order`() {
    let (files, messages) = collect([
      "gateway.conf": "include: [r/*.conf, none/*.conf]", "r/b.conf": "", "r/a.conf": "", "r/c.txt": "",
    ])
    #expect(files == ["gateway.conf", "r/a.conf", "r/b.conf"])
    #expect(messages == ["no file matches `none/*.conf`"])
  }

  @Test func `a circle is refused`() {
    let (files, messages) = collect([
      "gateway.conf": "include: a.conf", "a.conf": "include: b.conf", "b.conf": "include: ./x/../gateway.conf",
    ])
    #expect(files == ["gateway.conf", "a.conf", "b.conf"])
    #expect(messages == ["`x/../gateway.conf` includes itself"])
  }

  @Test func `a file is included once`() {
    let (files, messages) = collect(["gateway.conf": "include: [a.conf, ./a.conf]", "a.conf": ""])
    #expect(files == ["gateway.conf", "a.conf"])
    #expect(messages == ["`a.conf` is included twice"])
  }

  @Test func `a missing file is a mistake where it is named`() {
    #expect(
      collect(["gateway.conf": "include: a.conf"]).messages == ["`a.conf` cannot be read: No such file or directory"])
    #expect(collect([:]).messages == ["`gateway.conf` cannot be read: No such file or directory"])
  }

  @Test func `a file that cannot be included says what can be`() {
    var reading = ReadingFixture.reading(["gateway.conf": "include: a.conf"])
    _ = Inclusion.collect(file: "gateway.conf", reading: &reading)
    #expect(reading.diagnostics.text.contains("expected: a file, named from where this one stands, or a pattern"))
  }

  @Test func `a byte order mark is no part of the text`() {
    let (files, messages) = collect(["gateway.conf": "\u{feff}include: a.conf", "a.conf": "\u{feff}x: y\n"])
    #expect(files == ["gateway.conf", "a.conf"])
    #expect(messages.isEmpty)
    var reading = ReadingFixture.reading(["gateway.conf": "\u{feff}a: b: c"])
    let document = Inclusion.collect(file: "gateway.conf", reading: &reading).first
    #expect(document?.root?.value(for: "a") != nil)
    #expect(reading.diagnostics.text.contains("    1 | a: b: c\n            ^"))
  }

  @Test(arguments: ["include: { a: b }", "include: [[a]]", "include: [~]", "include: ''"])
  func `what names no file is a mistake`(_ text: String) {
    #expect(collect(["gateway.conf": text]).messages == ["this names no file"])
  }

  @Test func `including goes only so deep`() {
    var files: [String: String] = ["gateway.conf": "include: 0.conf"]
    for level in 0..<100 { files["\(level).conf"] = "include: \(level + 1).conf" }
    let (found, messages) = collect(files)
    #expect(messages == ["too many files include each other"])
    #expect(found.count <= ConfigurationLimits.inclusions + 2)
  }

  @Test func `a broken file does not hide the others`() {
    let (files, messages) = collect(["gateway.conf": "include: [a.conf, b.conf]", "a.conf": "[", "b.conf": "c: d"])
    #expect(files == ["gateway.conf", "a.conf", "b.conf"])
    #expect(messages.count == 1)
  }
}
