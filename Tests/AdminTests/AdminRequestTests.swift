import Testing

@testable import Admin

/// What the admin port reads of a query.
struct AdminRequestTests {
  @Test(arguments: [
    ("a=1", "1"), ("a=%2Fx%20y", "/x y"), ("a=1+2", "1 2"), ("b=1&a=2&a=3", "2"), ("a", ""), ("a=", ""),
    ("a=b=c", "b=c"),
    ("%61=1", "1"), ("a=%", "%"), ("a=%2", "%2"), ("a=%+1", "% 1"), ("a=%zz", "%zz"), ("a=%C3%A9", "é"),
    ("a=%FF", "\u{FFFD}"),
  ])
  func `a parameter is found and decoded`(_ query: String, _ value: String) {
    #expect(AdminQuery(query).first("a") == value)
  }

  @Test(arguments: ["", "b=1", "&&", "A=1", "=a"])
  func `another name is none`(_ query: String) { #expect(AdminQuery(query).first("a") == nil) }

  @Test func `all values of a name come in their order`() { #expect(AdminQuery("a=1&b=2&a=3").all("a") == ["1", "3"]) }

  @Test func `numbers are kept within their range`() {
    #expect(AdminQuery("n=5").number("n", default: 1, in: 0...9) == 5)
    #expect(AdminQuery("n=50").number("n", default: 1, in: 0...9) == 9)
    #expect(AdminQuery("n=-5").number("n", default: 1, in: 0...9) == 0)
    #expect(AdminQuery("").number("n", default: 1, in: 0...9) == 1)
    #expect(AdminQuery("n=x").number("n", default: 1, in: 0...9) == nil)
    #expect(AdminQuery("n=99999999999999999999").number("n", default: 1, in: 0...9) == nil)
  }
}
