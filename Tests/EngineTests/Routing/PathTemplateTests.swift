import PluginKit
import Testing

@testable import Engine

@Suite struct PathTemplateTests {
  @Test(arguments: ["/", "/*", "/v1", "/v1/", "/v1/items/{id}", "/a/{b}/c/{d-1}/*", "/%C3%A9/:x", "/a@{b}/c.{d}"])
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
      ("/a{b}c", .partialSegment("a{b}c")), ("/a%41{b}", .partialSegment("a%41{b}")),
      ("/a*{b}", .partialSegment("a*")), ("/a{b}/{b}", .repeatedParameter("b")), ("/a{{b}", .badParameterName("{b")),
      ("/{}", .badParameterName("")), ("/{a b}", .badParameterName("a b")),
      ("/{a}/{a}", .repeatedParameter("a")), ("/a b", .badCharacter("a b")), ("/a?b", .badCharacter("a?b")),
      ("/é", .badCharacter("é")), ("/a\u{0}", .badCharacter("a\u{0}")),
    ] as [(String, PathTemplateError)])
  func `a template that means nothing is refused`(text: String, error: PathTemplateError) {
    #expect(throws: error) { try PathTemplate(parsing: text) }
    #expect(!error.description.isEmpty)
  }

  @Test(arguments: [
    ("/caf%c3%a9", "/caf%C3%A9"), ("/f/%41", "/f/A"), ("/%7euser/{id}", "/~user/{id}"), ("/a%2fb", "/a%2Fb"),
    ("/a%5cb/*", "/a%5Cb/*"), ("/a.b/.c", "/a.b/.c"), ("/%2e%2e%2e", "/..."), ("/%20", "/%20"),
  ])
  func `a template is brought into the form in which requests are matched`(text: String, normal: String) throws {
    let template = try PathTemplate(parsing: text)
    #expect(template.description == normal)
    #expect(try template == PathTemplate(parsing: normal))
  }

  @Test(
    arguments: [
      ("/y%2", .badEscape("%2", isControl: false, at: 2), 2), ("/a/%zz", .badEscape("%zz", isControl: false, at: 3), 3),
      ("/%25/b%", .badEscape("%", isControl: false, at: 6), 6), ("/%00", .badEscape("%00", isControl: true, at: 1), 1),
      ("/%41%7f", .badEscape("%7f", isControl: true, at: 4), 4), ("/a/../b", .dotSegment(at: 3), 3),
      ("/.", .dotSegment(at: 1), 1), ("/a/%2e%2E", .dotSegment(at: 3), 3), ("/..;x", .ambiguous("..;x", at: 1), 1),
      ("/a/..%2fb", .ambiguous("..%2fb", at: 3), 3), ("/a//b", .emptySegment(at: 3), 3),
      ("//", .emptySegment(at: 1), 1), ("/a//*", .emptySegment(at: 3), 3),
      ("/a\\b", .badCharacter("a\\b"), 0),
      ("/a\"", .badCharacter("a\""), 0),
    ] as [(String, PathTemplateError, Int)])
  func `a template that no request can match is refused, with the place`(
    text: String, error: PathTemplateError, offset: Int
  ) {
    #expect(throws: error) { try PathTemplate(parsing: text) }
    #expect(error.offset == offset)
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
