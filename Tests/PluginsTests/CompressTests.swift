import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct CompressTests {
  private static let definitions = [PluginDefinition(Compress.self)]

  private func coding(
    _ accepted: String?, _ options: String = "", response: String = "Content-Type: text/plain\nContent-Length: 5000",
    status: Int = 200, method: String = "GET"
  ) throws -> (coding: String?, vary: Bool) {
    let chain = try PluginFixture.chain("compress: { \(options) }", of: Self.definitions)
    let accept = accepted.map { "Accept-Encoding: \($0)\n" } ?? ""
    var fixture = try ExchangeFixture("\(method) / HTTP/1.1\nHost: a.example\n\(accept)\n")
    try fixture.receive("HTTP/1.1 \(status) X\n\(response)\n\n")
    chain.runResponseHead(&fixture.exchange)
    let name = fixture.exchange.response.coding.map { "\($0.name)" }
    return (name, fixture.answered.contains("Vary: Accept-Encoding"))
  }

  @Test(arguments: [
    ("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("gzip;q=1.0, zstd;q=0.5", "gzip"),
    ("gzip;q=0.3, zstd;q=0.301", "zstd"), ("x-gzip", "gzip"), ("GZIP ; Q=1", "gzip"), ("*", "zstd"),
    ("*;q=0.1, gzip", "gzip"), ("zstd;q=0, *", "gzip"), ("identity;q=0, gzip;q=0.001", "gzip"),
    ("br, gzip;q=0.5, identity;q=0.4", "gzip"), ("gzip;q=1,", "gzip"), ("deflate, , gzip", "gzip"),
  ])
  func `a coding that the client likes best is chosen`(accepted: String, coding: String) throws {
    #expect(try self.coding(accepted).coding == coding)
  }

  @Test(arguments: [
    nil, "", "br", "identity", "gzip;q=0", "gzip;q=0.0, zstd;q=0", "*;q=0", "gzip;q=0.5, identity", "gzip;q=2",
    "gzip;q=", "gzip;q=0.0001", "gzip;q=1.5", "gzip;q=-1", "identity;q=0", "gzipped", "\"gzip\"",
  ])
  func `where none may be used the body stays, and still varies`(accepted: String?) throws {
    let outcome = try coding(accepted)
    #expect(outcome.coding == nil)
    #expect(outcome.vary)
  }

  @Test(arguments: [
    ("Content-Type: image/png\nContent-Length: 5000", 200, "GET"),
    ("Content-Length: 5000", 200, "GET"),
    ("Content-Type: text/plain\nContent-Length: 1023", 200, "GET"),
    ("Content-Type: text/plain\nContent-Length: 5000\nContent-Encoding: br", 200, "GET"),
    ("Content-Type: text/plain\nContent-Length: 5000\nCache-Control: public\nCache-Control: No-Transform", 200, "GET"),
    ("Content-Type: text/plain\nContent-Length: 5000\nContent-Range: bytes 0-4999/9000", 206, "GET"),
    ("Content-Type: text/plain\nContent-Length: 5000\nContent-Range: bytes 0-4999/9000", 200, "GET"),
    ("Content-Type: image/png\nContent-Length: 5000", 200, "HEAD"),
    ("Content-Type: text/plain\nContent-Length: 1023", 200, "HEAD"),
    ("Content-Type: text/plain", 204, "GET"),
  ])
  func `some answers are never compressed`(response: String, status: Int, method: String) throws {
    let outcome = try coding("gzip", response: response, status: status, method: method)
    #expect(outcome.coding == nil)
    #expect(!outcome.vary)
  }

  @Test(arguments: [
    ("ETag: \"a\"", 304, "GET"), ("Content-Type: text/plain\nContent-Length: 5000", 200, "HEAD"),
    ("Content-Type: text/plain", 200, "HEAD"),
  ])
  func `an answer without the body tells that the body varies`(response: String, status: Int, method: String) throws {
    let outcome = try coding("gzip", response: response, status: status, method: method)
    #expect(outcome.coding == nil && outcome.vary)
  }

  @Test(arguments: [
    ("text/html; charset=utf-8", true), ("TEXT/Plain", true), ("application/problem+json", true),
    ("application/json;x=1", true), ("application/jsonx", false), ("application/+json", false), ("text", false),
    ("image/svg+xml", true), ("application/octet-stream", false), ("text/event-stream", true),
  ])
  func `types are matched whole, in any case and without parameters`(type: String, matches: Bool) throws {
    let outcome = try coding("gzip", response: "Content-Type: \(type)\nTransfer-Encoding: chunked")
    #expect((outcome.coding != nil) == matches)
  }

  @Test func `types, codings and the least size are what the configuration says`() throws {
    let options = "types: [application/*, image/svg+xml], codings: [gzip], minimum: 10KiB"
    let long = "Content-Length: 20000"
    #expect(try coding("zstd, gzip", options, response: "Content-Type: application/x\n" + long).coding == "gzip")
    #expect(try coding("zstd, gzip", options, response: "Content-Type: text/plain\n" + long).coding == nil)
    #expect(try coding("gzip", options, response: "Content-Type: application/x\nContent-Length: 10239").coding == nil)
  }

  @Test func `Vary is not said twice`() throws {
    for vary in ["Accept, accept-encoding", "*"] {
      let response = "Content-Type: text/plain\nContent-Length: 5000\nVary: \(vary)"
      let outcome = try coding("gzip", response: response)
      #expect(outcome.coding == "gzip")
      #expect(!outcome.vary)
    }
  }

  @Test(arguments: [
    ("compress: { types: [text] }", "TYPE/SUBTYPE"), ("compress: { types: ['*/*'] }", "TYPE/SUBTYPE"),
    ("compress: { codings: [br] }", "zstd, gzip"), ("compress: { codings: [] }", "has no coding"),
    ("compress: { gzip_level: 10 }", "10"),
  ])
  func `mistakes are found when the file is loaded`(entry: String, message: String) {
    #expect(PluginFixture.mistakes(Compress.self, entry).contains(message))
  }
}
