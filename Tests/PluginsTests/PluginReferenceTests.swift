import Configuration
import Engine
import Kernel
import PluginKit
import Plugins
import Testing

/// What plugins declare stands in the reference, and each has a page of its own.
@Suite struct PluginReferenceTests {
  private static let definitions = [
    PluginDefinition(APIKey.self), PluginDefinition(AnyOf.self), PluginDefinition(Authorize.self),
    PluginDefinition(Basic.self), PluginDefinition(ClientCertificateLogin.self), PluginDefinition(AICache.self),
    PluginDefinition(Introspection.self),
    PluginDefinition(JWT.self),
    PluginDefinition(MessageSignature.self), PluginDefinition(CORS.self), PluginDefinition(Cache.self),
    PluginDefinition(Compress.self), PluginDefinition(Concurrency.self), PluginDefinition(Headers.self),
    PluginDefinition(IPAccess.self), PluginDefinition(Quota.self), PluginDefinition(RateLimit.self),
    PluginDefinition(RequestSize.self), PluginDefinition(Trace.self), PluginDefinition(Transform.self),
    PluginDefinition(Validate.self), PluginDefinition(Mask.self), PluginDefinition(TokenLimit.self),
    PluginDefinition(Budget.self), PluginDefinition(Guardrails.self),
  ]

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

  /// With `SLUICE_WRITE_DOCS` set, the table is written instead of compared.
  @Test func `every metric of a plugin is documented as it is declared`() throws {
    var table = "| family | type | labels | meaning |\n|---|---|---|---|\n"
    for metric in Self.definitions.flatMap(\.metrics) {
      let name = metric.kind == .counter ? metric.name + "_total" : metric.name
      let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
      table += "| `\(name)` | \(metric.kind) | \(labels) | \(metric.help) |\n"
    }
    let page = try Page("METRICS.md")
    let open = try #require(
      page.text.firstRange(of: "<!-- plugins: written from what plugins declare; a test compares -->\n"))
    let close = try #require(page.text.firstRange(of: "<!-- end of plugins -->"))
    if ProcessEnvironment.value("SLUICE_WRITE_DOCS") != nil {
      let text = page.text[..<open.upperBound] + table + page.text[close.lowerBound...]
      try File(page.path, .replace).writeAll(String(text).utf8Span.span)
    } else {
      let isCurrent = page.text[open.upperBound..<close.lowerBound] == table
      #expect(isCurrent, "run the tests with SLUICE_WRITE_DOCS=1 to write \(page.path) anew")
    }
  }

  @Test func `every metric has a name of its own that no other family has`() {
    let names = Self.definitions.flatMap(\.metrics).map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.allSatisfy { $0.hasPrefix("sluice_") && !$0.hasSuffix("_total") })
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
