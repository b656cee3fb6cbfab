import Admin
import GatewayTesting
import Testing

/// The reference of the admin API names what there is.
struct AdminDocumentTests {
  private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

  @Test(arguments: AdminEndpoint.allCases)
  func `every path and its methods are in the reference`(_ endpoint: AdminEndpoint) throws {
    let page = try TemporaryDirectory.contents(of: Self.root + "/docs/ADMIN-API.md")
    let row = page.split(separator: "\n").first { $0.hasPrefix("| `\(endpoint.rawValue)` |") }
    #expect(row?.contains("| \(endpoint.methods) |") == true)
  }

  @Test func `the reference names no path that there is not`() throws {
    let page = try TemporaryDirectory.contents(of: Self.root + "/docs/ADMIN-API.md")
    let named = page.split(separator: "\n").filter { $0.hasPrefix("| `/") }
    #expect(named.count == AdminEndpoint.allCases.count)
  }
}
