import Configuration
import HTTP
import Kernel
import PluginKit
import Testing

/// Values of a request as plugins read them.
@Suite struct RequestValueTests {
  private func fixture() throws -> ExchangeFixture {
    var fixture = try ExchangeFixture(
      """
      GET /items/4711?q=a%20b&Q=c&empty=&q=z HTTP/1.1
      Host: a.example
      X-Tenant: acme
      Cookie: a=1; session=s3cret; session=other


      """)
    fixture.exchange.client = IPAddress(v4: 0xc000_0201)
    fixture.exchange.consumer = "widget"
    fixture.exchange.user = "ada"
    fixture.exchange.route = RouteIdentity(
      index: 0, name: "items", template: "/items/{id}", parameterNames: ["id"])
    fixture.exchange.parameters.append(7..<11)
    return fixture
  }

  private func text(_ value: RequestValue, _ exchange: borrowing Exchange) -> String? {
    var out = ByteBuffer()
    guard value.append(of: exchange, to: &out) else { return nil }
    return String(decoding: out.span.indices.map { out.span[$0] }, as: UTF8.self)
  }

  @Test(arguments: [
    (RequestValue.consumer, "widget" as String?), (.user, "ada"), (.ip, "192.0.2.1"), (.route, "items"),
    (.header("x-tenant"), "acme"), (.header("x-other"), nil), (.query("q"), "a%20b"), (.query("Q"), "c"),
    (.query("empty"), ""), (.query("x"), nil), (.cookie("session"), "s3cret"), (.cookie("a"), "1"),
    (.cookie("A"), nil), (.path("id"), "4711"), (.path("other"), nil),
  ])
  func `a value is what the request says`(value: RequestValue, expected: String?) throws {
    let fixture = try fixture()
    let found = text(value, fixture.exchange)
    let hash = value.hash(in: fixture.exchange, seed: 1)
    #expect(found == expected)
    #expect((hash == nil) == (expected == nil))
  }

  @Test func `the same value has the same hash, and another seed another one`() throws {
    let fixture = try fixture()
    var seen: Set<UInt64> = []
    for value in [RequestValue.consumer, .user, .ip, .route, .header("x-tenant"), .query("q"), .cookie("a")] {
      for seed in [1, 2] as [UInt64] {
        let hash = value.hash(in: fixture.exchange, seed: seed)
        let again = value.hash(in: fixture.exchange, seed: seed)
        #expect(hash != nil && hash == again)
        if let hash { #expect(seen.insert(hash).inserted) }
      }
    }
  }

  @Test func `nothing stays for the next exchange`() throws {
    var fixture = try fixture()
    fixture.exchange.requestBodyLimit = 5
    fixture.exchange.reset()
    let texts = [text(.consumer, fixture.exchange), text(.user, fixture.exchange), text(.route, fixture.exchange)]
    #expect(texts == [nil, nil, nil])
    let limit = fixture.exchange.requestBodyLimit
    #expect(limit == .max)
  }
}
