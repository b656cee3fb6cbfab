import HTTP
import PluginKit
import Plugins
import Testing

@Suite struct RequestSizeTests {
  private let definitions = [PluginDefinition(RequestSize.self)]
  private let worker = StillWorker()

  private func refusal(_ entry: String, _ request: String) throws -> String? {
    let chain = try PluginFixture.chain("request_size: \(entry)", of: definitions, on: worker)
    var fixture = try ExchangeFixture(request)
    if case .fail(let fault) = chain.runRequestHeadAtOnce(&fixture.exchange) {
      return "\(fault.status) \(fault.reason)"
    }
    return nil
  }

  @Test(arguments: [
    ("10B", "POST / HTTP/1.1\nHost: a\nContent-Length: 10\n\n", nil as String?),
    ("10B", "POST / HTTP/1.1\nHost: a\nContent-Length: 11\n\n", "413 body_too_large"),
    ("0", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", nil),
    ("0", "POST / HTTP/1.1\nHost: a\nContent-Length: 1\n\n", "413 body_too_large"),
    ("10B", "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n", nil),
    ("{ target: 5B }", "GET /a?bc HTTP/1.1\nHost: a\n\n", nil),
    ("{ target: 5B }", "GET /a?bcd HTTP/1.1\nHost: a\n\n", "414 target_too_long"),
    ("{ target: 5B }", "GET /abcde HTTP/1.1\nHost: a\n\n", "414 target_too_long"),
    // 64 bytes with the empty line.
    ("{ head: 64B }", "GET / HTTP/1.1\nHost: a\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaa\n\n", nil),
    ("{ head: 64B }", "GET / HTTP/1.1\nHost: a\nX-Padding: aaaaaaaaaaaaaaaaaaaaaaaaa\n\n", "431 head_too_large"),
  ])
  func `a request that is larger than its limit is refused`(entry: String, request: String, expected: String?) throws {
    #expect(try refusal(entry, request) == expected)
    let counted = worker.counted("sluice_request_size_refused").values.reduce(0, +)
    #expect(counted == (expected == nil ? 0 : 1))
  }

  @Test func `a body without a length is limited on its way, by the lowest limit`() throws {
    let chain = try PluginFixture.chain("request_size: 1KiB", "request_size: 2KiB", of: definitions)
    var fixture = try ExchangeFixture("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n")
    fixture.exchange.requestBodyLimit = 4096
    _ = chain.runRequestHeadAtOnce(&fixture.exchange)
    #expect(fixture.exchange.requestBodyLimit == 1024)
    fixture.exchange.requestBodyLimit = 100
    _ = chain.runRequestHeadAtOnce(&fixture.exchange)
    #expect(fixture.exchange.requestBodyLimit == 100)
  }

  @Test(arguments: [
    ("{}", "limits nothing"), ("{ head: 1B }", "out of range"), ("{ body: 10MB }", "did you mean `10MiB`"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = PluginFixture.mistakes(RequestSize.self, "request_size: \(entry)")
    #expect(text.contains(message), "\(text)")
  }

  @Test func `the example of its page loads and limits`() throws {
    let chain = try PluginFixture.chain(
      ofFile: try Page("plugins/request_size.md").example("yaml"), of: definitions, on: worker)
    var fixture = try ExchangeFixture("POST / HTTP/1.1\nHost: a\nContent-Length: 70000\n\n")
    guard case .fail = chain.runRequestHeadAtOnce(&fixture.exchange) else {
      Issue.record("the body is larger than the example allows")
      return
    }
  }
}
