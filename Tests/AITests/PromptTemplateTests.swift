import AI
import Testing

/// Templates of prompts: what they say, and what they refuse.
struct PromptTemplateTests {
  @Test(
    arguments: [
      ("Hello {{name}}!", "Hello <b>&\"{{x}}!"), ("{{name}}{{name}}", "<b>&\"{{x}}<b>&\"{{x}}"), ("", ""),
      ("{\"a\":{\"b\":1}} {", "{\"a\":{\"b\":1}} {"), ("{{none}}.", "."), ("{{#yes}}a{{/yes}}{{^yes}}b{{/yes}}", "a"),
      ("{{#none}}a{{/none}}{{^none}}b{{/none}}", "b"), ("{{#list}}- {{.}}\n{{/list}}", "- one\n- two\n"),
      ("{{list}}", "one, two"), ("{{yes}}", "true"),
      ("{{#name}}{{#list}}{{.}}{{yes}}{{/list}}{{/name}}", "onetruetwotrue"),
    ])
  func `values stand in their places as they are, and are no templates themselves`(template: String, text: String)
    throws
  {
    let values: [String: PromptValue] = [
      "name": .text("<b>&\"{{x}}"), "yes": .flag(true), "list": .list(["one", "two"]),
    ]
    #expect(try PromptTemplate(template).render(values) == text)
  }

  @Test(
    arguments: [
      ("{{a", 0), ("x{{}}", 1), ("{{ a }}", 0), ("{{{a}}}", 0), ("{{&a}}", 0), ("{{>a}}", 0), ("{{!a}}", 0),
      ("{{.}}", 0),
      ("{{a.b}}", 0), ("x{{#a}}", 1), ("{{/a}}", 0), ("{{#a}}{{/b}}", 6), ("{{#a}}{{#b}}{{/a}}{{/b}}", 12),
      ("é{{é}}", 2),
    ])
  func `what is no template is refused, with its place`(template: String, offset: Int) {
    let mistake = #expect(throws: PromptTemplate.Mistake.self) { try PromptTemplate(template) }
    #expect(mistake?.offset == offset)
  }

  @Test func `sections are nested eight deep and no deeper`() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "{{#a}}", count: depth) + "x" + String(repeating: "{{/a}}", count: depth)
    }
    #expect(try PromptTemplate(nested(8)).render(["a": .flag(true)]) == "x")
    #expect(throws: PromptTemplate.Mistake.self) { try PromptTemplate(nested(9)) }
  }

  @Test func `a template knows the names that it asks for`() throws {
    #expect(try PromptTemplate("{{b}}{{#a}}{{.}}{{c}}{{b}}{{/a}}").names == ["b", "a", "c"])
  }
}
