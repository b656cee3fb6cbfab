import PluginKit
import Testing

@testable import Engine

@Suite struct PathTemplateTests {
  @Test(arguments: ["/", "/*", "/v1", "/v1/", "/v1/items/{id}", "/a/{b}/c/{d-1}/*", "/a//b", "/%C3%A9/:x"])
  func `a template is written back as it was read`(text: String) throws {
    #expect(try PathTemplate(parsing: text).description == text)
  }

  @Test func `a template has its segments, its rest and its names`() throws {
    let template = try PathTemplate(parsing: "/a/{b}/c/*")
    #expect(template.segments == [.literal("a"), .parameter("b"), .literal("c")])
    #expect(template.takesRest)
    #expect(template.parameterNames == ["b"])
    #expect(try PathTemplate(parsing: "/a/").segments == [.literal("a"), .literal("")])
  }

  @Test(
    arguments: [
      ("", .missingSlash), ("a", .missingSlash), ("*", .missingSlash), ("/*/a", .restNotLast), ("/*/", .restNotLast),
      ("/a*", .partialSegment("a*")), ("/**", .partialSegment("**")), ("/{a}b", .partialSegment("{a}b")),
      ("/a{b}", .partialSegment("a{b}")), ("/{}", .badParameterName("")), ("/{a b}", .badParameterName("a b")),
      ("/{a}/{a}", .repeatedParameter("a")), ("/a b", .badCharacter("a b")), ("/a?b", .badCharacter("a?b")),
      ("/é", .badCharacter("é")), ("/a\u{0}", .badCharacter("a\u{0}")),
    ] as [(String, PathTemplateError)])
  func `a template that means nothing is refused`(text: String, error: PathTemplateError) {
    #expect(throws: error) { try PathTemplate(parsing: text) }
    #expect(!error.description.isEmpty)
  }

  @Test func `a template deeper than the limit is refused`() throws {
    let deepest = String(repeating: "/a", count: PathTemplate.maximumSegments)
    #expect(try PathTemplate(parsing: deepest + "/*").segments.count == PathTemplate.maximumSegments)
    #expect(throws: PathTemplateError.tooDeep) { try PathTemplate(parsing: deepest + "/a") }
  }

  @Test func `a template with more parameters than the limit is refused`() throws {
    let most = (0..<PathParameters.maximumCount).map { "/{p\($0)}" }.joined()
    #expect(try PathTemplate(parsing: most + "/a/*").parameterNames.count == PathParameters.maximumCount)
    #expect(throws: PathTemplateError.tooManyParameters) { try PathTemplate(parsing: most + "/a/{b}") }
  }
}
