import Testing

@testable import Engine

/// The texts that two processes of an upgrade exchange.
struct InheritanceTests {
  @Test func `what is handed on is read as it was written`() throws {
    let entries = [
      Inheritance.Entry(socket: 5, name: "public", address: "0.0.0.0:80"),
      Inheritance.Entry(socket: 6, name: "local", address: "unix:/run/a b.sock"),
      Inheritance.Entry(socket: 12, name: "admin", address: "[::1]:9900"),
    ]
    let text = Inheritance.describe(entries, pipe: 9)
    let value = try #require(text.split(separator: "=", maxSplits: 1).last)
    let read = try #require(Inheritance.read(String(value)))
    #expect(read.pipe == 9)
    #expect(read.entries == entries)
  }

  @Test(arguments: ["", "x", "7\n5", "7\n5 public", "7\nfive public 0.0.0.0:80"])
  func `another text is refused`(text: String) { #expect(Inheritance.read(text) == nil) }

  @Test func `a successor is ready when its whole line has come`() {
    #expect(Inheritance.claims(in: "ready 5 12\n") == [5, 12])
    #expect(Inheritance.claims(in: "ready\n") == [])
    for text in ["", "ready 5 1", "ready 5 x\n", "gateway.conf:1: error: ready\n"] {
      #expect(Inheritance.claims(in: text) == nil, "\(text)")
    }
  }
}
