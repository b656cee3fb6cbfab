import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct RateLimitTests {
  private let definitions = [PluginDefinition(RateLimit.self), PluginDefinition(CORS.self)]
  private let worker = StillWorker()

  init() { worker.now = Clock.monotonic }

  /// What one request comes to: nil when it goes on, or the fault; and the answer's fields.
  private func ask(
    _ chain: Chain, from client: String = "192.0.2.1", _ fields: String = "", method: String = "GET",
    prepare: (inout Exchange) -> Void = { _ in }
  ) throws -> (fault: Fault?, fields: [String]) {
    var fixture = try ExchangeFixture("\(method) / HTTP/1.1\nHost: a.example\n\(fields)\n")
    fixture.exchange.client = try #require(IPAddress(client))
    prepare(&fixture.exchange)
    var fault: Fault?
    if case .fail(let refusal) = chain.runRequestHeadAtOnce(&fixture.exchange) {
      fault = refusal
      fixture.refuse(refusal)
    } else {
      try fixture.receive("HTTP/1.1 204 No Content\n\n")
    }
    chain.runResponseHead(&fixture.exchange)
    return (fault, fixture.answered.filter { !$0.hasPrefix("X-Fault") })
  }

  private func chain(_ entries: String) throws -> Chain {
    try PluginFixture.chain(entries, of: definitions, on: worker)
  }

  @Test func `a burst passes, and what is beyond is told when to come back`() throws {
    let chain = try chain("rate_limit: { rate: 2/min, burst: 3 }")
    for remaining in [2, 1, 0] {
      let answer = try ask(chain)
      #expect(answer.fault == nil)
      #expect(
        answer.fields == [
          "RateLimit-Policy: \"2/min\";q=3;w=90", "RateLimit: \"2/min\";r=\(remaining);t=\((3 - remaining) * 30)",
        ])
    }
    let refused = try ask(chain)
    let fault = try #require(refused.fault)
    #expect(fault.status == 429 && fault.origin == .policy && fault.retryAfter == 30 && !fault.closes)
    #expect(fault.reason.description == "rate_limited")
    #expect(
      refused.fields == ["RateLimit-Policy: \"2/min\";q=3;w=90", "RateLimit: \"2/min\";r=0;t=90"])
    worker.now += 29_500_000_000
    #expect(try ask(chain).fault?.retryAfter == 1)
    worker.now += 500_000_000
    #expect(try ask(chain).fault == nil)
    #expect(try ask(chain, from: "192.0.2.2").fault == nil)
    #expect(
      worker.counted("sluice_rate_limit_decisions") == [
        "[\"2/min\", \"admitted\"]": 5, "[\"2/min\", \"refused\"]": 2,
      ])
  }

  @Test func `the rate alone is a bucket of its number`() throws {
    let chain = try chain("rate_limit: 5/s")
    for _ in 0..<5 { #expect(try ask(chain).fault == nil) }
    #expect(try ask(chain).fault?.retryAfter == 1)
  }

  @Test func `below a second there is no window to tell`() throws {
    let chain = try chain("rate_limit: { rate: 50/s, burst: 10, name: fast one }")
    #expect(
      try ask(chain).fields == ["RateLimit-Policy: \"fast one\";q=10", "RateLimit: \"fast one\";r=9;t=1"])
  }

  @Test func `several limits have an item each, and the first that refuses decides`() throws {
    let chain = try chain("rate_limit: { rate: 9/s, name: a }\nrate_limit: { rate: 1/h, name: b, key: header.x-k }")
    #expect(
      try ask(chain, "X-K: 1\n").fields == [
        "RateLimit-Policy: \"b\";q=1;w=3600", "RateLimit: \"b\";r=0;t=3600", "RateLimit-Policy: \"a\";q=9;w=1",
        "RateLimit: \"a\";r=8;t=1",
      ])
    #expect(try ask(chain, "X-K: 1\n").fault?.retryAfter == 3600)
    #expect(try ask(chain, "X-K: 2\n").fault == nil)
  }

  @Test func `without headers only a refusal says something`() throws {
    let chain = try chain("rate_limit: { rate: 1/h, headers: false }")
    #expect(try ask(chain).fields == [])
    let refused = try ask(chain)
    #expect(refused.fault?.retryAfter == 3600)
    #expect(refused.fields == [])
  }

  @Test func `shadow mode counts and refuses nothing`() throws {
    let chain = try chain("rate_limit: { rate: 1/h, shadow: true, name: new }")
    for _ in 0..<3 {
      let answer = try ask(chain)
      #expect(answer.fault == nil)
      #expect(answer.fields == [])
    }
    #expect(
      worker.counted("sluice_rate_limit_decisions") == [
        "[\"new\", \"admitted\"]": 1, "[\"new\", \"shadowed\"]": 2,
      ])
  }

  @Test func `an IPv6 client counts by its first 64 bits`() throws {
    let chain = try chain("rate_limit: 1/h")
    #expect(try ask(chain, from: "2001:db8:0:1::1").fault == nil)
    #expect(try ask(chain, from: "2001:db8:0:1:ffff::2").fault != nil)
    #expect(try ask(chain, from: "2001:db8:0:2::1").fault == nil)
    #expect(try ask(chain, from: "192.0.2.1").fault == nil)
    #expect(try ask(chain, from: "192.0.2.2").fault == nil)
  }

  @Test func `a value that is missing is replaced by the address`() throws {
    let chain = try chain("rate_limit: { rate: 1/h, key: [consumer, ip] }")
    #expect(try ask(chain).fault == nil)
    #expect(try ask(chain).fault != nil)
    #expect(try ask(chain, from: "192.0.2.2").fault == nil)
    #expect(try ask(chain, prepare: { $0.consumer = "widget" }).fault == nil)
    #expect(try ask(chain, prepare: { $0.consumer = "widget" }).fault != nil)
    #expect(try ask(chain, prepare: { $0.consumer = "portal" }).fault == nil)
    // An address is not the consumer of that name.
    #expect(try ask(chain, prepare: { $0.consumer = "192.0.2.1" }).fault == nil)
  }

  @Test func `the workers share one bucket, exactly`() throws {
    let workers = (0..<4).map { _ in StillWorker() }
    let now = Clock.monotonic
    let chains = try PluginFixture.chains("rate_limit: { rate: 10/s, burst: 20 }", of: definitions, on: workers)
    var admitted = 0
    for step in 0..<3000 {
      for (chain, worker) in zip(chains, workers) {
        worker.now = now + step * 1_000_000
        if try ask(chain).fault == nil { admitted += 1 }
      }
    }
    #expect((49...50).contains(admitted))
  }

  @Test func `a request that another plugin answers says nothing of the limit`() throws {
    let chain = try chain("cors: https://a.test\nrate_limit: 1/h")
    let preflight = "Origin: https://a.test\nAccess-Control-Request-Method: POST\n"
    for _ in 0..<3 {
      let answer = try ask(chain, preflight, method: "OPTIONS")
      #expect(answer.fault == nil)
      #expect(!answer.fields.contains { $0.hasPrefix("RateLimit") })
    }
  }

  @Test(arguments: [
    ("{}", "`rate` is missing"), ("{ rate: 10 }", "`10` is no rate"), ("{ rate: 0/s }", "is no rate"),
    ("{ rate: 1/s, burst: 0 }", "out of range"), ("{ rate: 1/s, key: [] }", "at least 1"),
    ("{ rate: 1/s, key: body.a.b }", "body values are not available"),
    ("{ rate: 1/s, key: context.id }", "one of consumer, user, ip, route, header.NAME"),
    ("{ rate: 1/s, key: address }", "`address` is no value of the request"),
    ("{ rate: 1/s, store: redis }", "is no known word"), ("{ rate: 1/s, name: 'a\"b' }", "is no name"),
    ("{ rate: 1/day, burst: 1000 }", "more than a year"), ("{ rate: 1/s, keys: 10 }", "out of range"),
    ("{ rate: 99999999999/s }", "more than can be counted"), ("{ rat: 1/s }", "did you mean `rate`"),
  ])
  func `a mistake is found when the configuration is loaded`(entry: String, message: String) {
    let text = PluginFixture.mistakes(RateLimit.self, "rate_limit: \(entry)")
    #expect(text.contains(message), "\(text)")
  }

  @Test func `the example of its page loads and limits`() throws {
    let chain = try PluginFixture.chain(
      ofFile: try Page("plugins/rate_limit.md").example("yaml"), of: definitions, on: worker)
    for _ in 0..<100 { #expect(try ask(chain).fault == nil) }
    #expect(try ask(chain).fault?.status == 429)
  }
}
