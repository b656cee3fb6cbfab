import Configuration
import Engine
import Kernel
import PluginKit
import Plugins
import Testing

/// What plugins declare stands in the reference, and each has a page of its own.
@Suite struct PluginReferenceTests {
  private static let definitions = [PluginDefinition(CORS.self), PluginDefinition(Headers.self)]

  /// With `SLUICE_WRITE_DOCS` set, the page is written instead of compared.
  @Test func `the reference of the configuration has what plugins declare`() throws {
    let page = try Page("CONFIGURATION.md")
    let expected =
      GatewaySettings.reference(plugins: []) + Reference.markdown(plugins: Self.definitions.map(\.declaration))
    if ProcessEnvironment.value("SLUICE_WRITE_DOCS") != nil {
      try File(page.path, .replace).writeAll(expected.utf8Span.span)
    } else {
      let isCurrent = page.text == expected
      #expect(isCurrent, "run the tests with SLUICE_WRITE_DOCS=1 to write \(page.path) anew")
    }
  }

  @Test(arguments: definitions.map(\.declaration.shape))
  func `every plugin has a page that names its keywords`(section: SectionShape) throws {
    let page = try Page("plugins/\(section.name).md")
    for keyword in section.keywords {
      let isNamed = page.text.contains("`\(keyword.name)`") || page.text.contains("`\(keyword.name).")
      #expect(isNamed, "docs/plugins/\(section.name).md lacks \(keyword.name)")
    }
  }
}
