import Testing

@testable import Telemetry

@Suite struct CallFieldTests {
  @Test func `every field is documented as it is declared`() throws {
    var table = "| field | type | meaning |\n|---|---|---|\n"
    for field in CallField.allCases { table += "| `\(field.key)` | \(field.type) | \(field.help) |\n" }
    try Document("CALL-LOG.md").expect("fields", table)
  }

  @Test func `every key is in snake case and its own`() {
    let keys = CallField.allCases.map { $0.key.description }
    #expect(Set(keys).count == keys.count)
    for key in keys { #expect(key.allSatisfy { ("a"..."z").contains($0) || $0 == "_" }) }
  }
}
