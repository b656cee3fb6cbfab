import Testing

@testable import Configuration

@Suite struct DescriptionTests {
  private func diff(_ old: String, _ new: String) -> String {
    let (a, b) = (ReadingFixture.read(Sample.section, old).settings, ReadingFixture.read(Sample.section, new).settings)
    return ConfigurationDiff(from: Sample.section.describe(a), to: Sample.section.describe(b)).text
  }

  @Test func `the same meaning in other words is no change`() {
    #expect(
      diff("{ text: a, time: 60s, parts: { x: 1KiB } }", "{ time: 1m, text: 'a', parts: { x: { size: 1024B } } }") == ""
    )
  }

  @Test func `what was added, removed and changed is listed`() {
    #expect(
      diff("{ text: a, size: 1B, parts: { x: 1B, y: 2B } }", "{ text: b, mode: careful, parts: { x: 3B, z: 4B } }")
        == """
        - size: 1B
        ~ text: a -> b
        ~ mode: fast -> careful
        - parts.y: { size: 2B }
        ~ parts.x.size: 1B -> 3B
        + parts.z: { size: 4B }

        """)
  }

  @Test func `a changed secret is a change that shows nothing`() {
    let text = diff("{ text: a, secret: hunter2 }", "{ text: a, secret: letmein }")
    #expect(text == "~ secret: (secret), another one\n")
    #expect(diff("{ text: a, secret: hunter2 }", "{ text: a, secret: hunter2 }") == "")
    #expect(diff("{ text: a }", "{ text: a, secret: hunter2 }") == "+ secret: (secret)\n")
  }

  @Test func `the reference names every keyword with its default`() {
    let text = Reference.markdown("# Sample\n", of: Sample.section.shape)
    for keyword in Sample.section.keywords { #expect(text.contains("| `\(keyword.name)` |")) }
    #expect(text.contains("| `time` | a duration from 1ms to 365d | `1s` | How long. |"))
    #expect(text.contains("| `text` | text | **required** | What it says. |"))
    #expect(text.contains("## `parts.NAME`"))
    #expect(text.contains("Instead of the mapping, the value of `text` alone will do."))
  }

  @Test func `the schema knows types, choices and what is required`() {
    let text = JSONSchema.document(of: Sample.section.shape, title: "Sample").text
    #expect(text.contains(#""required":["text"]"#))
    #expect(text.contains(#""enum":["fast","careful"]"#))
    #expect(text.contains(#""additionalProperties":false"#))
    #expect(text.contains(#""minimum":1,"maximum":9"#))
  }
}
