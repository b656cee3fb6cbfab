import Testing

@testable import AI

struct RetryHintTests {
  /// 2026-11-23T12:00:00Z
  private static let now = 1_795_435_200

  private func hint(_ fields: [(String, String)], body: String = "{}") throws -> Int? {
    var hint = RetryHint(now: Self.now)
    for (name, value) in fields { hint.take(name, value) }
    hint.take(body: try JSONElement(parsing: Array(body.utf8)))
    return hint.milliseconds
  }

  @Test func `every spelling of providers is understood`() throws {
    #expect(try hint([("retry-after", "7")]) == 7000)
    #expect(try hint([("retry-after", "0.5")]) == 500)
    #expect(try hint([("retry-after", "Mon, 23 Nov 2026 12:00:20 GMT")]) == 20_000)
    #expect(try hint([("retry-after", "Mon, 23 Nov 2026 11:00:00 GMT")]) == 0)
    #expect(try hint([("retry-after", "9"), ("retry-after-ms", "250")]) == 250)
    #expect(try hint([("retry-after-ms", "250"), ("retry-after", "9")]) == 250)
    #expect(try hint([("x-ratelimit-reset-requests", "6m0s")]) == 360_000)
    #expect(try hint([("x-ratelimit-reset-tokens", "17ms")]) == 17)
    #expect(try hint([("x-ratelimit-reset-requests", "1h2m3.5s")]) == 3_723_500)
    #expect(try hint([("anthropic-ratelimit-tokens-reset", "2026-11-23T12:01:00Z")]) == 60_000)
    #expect(try hint([("x-ratelimit-reset", "\(Self.now + 5)")]) == 5000)
    #expect(try hint([("x-ratelimit-reset", "\(Self.now + 5)000")]) == 5000)
    let google =
      #"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}"#
    #expect(try hint([], body: google) == 34_070)
  }

  @Test func `of several limits the one that is spent counts`() throws {
    let fields = [
      ("x-ratelimit-remaining-requests", "12"), ("x-ratelimit-reset-requests", "1s"),
      ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "40s"),
    ]
    #expect(try hint(fields) == 40_000)
    #expect(try hint(Array(fields[1...1]) + Array(fields[3...3])) == 1000)
  }

  @Test(arguments: [
    "", "soon", "-5", "1e9", "9999999999999999999999", "5x", "Mon, 23 Foo 2026 12:00:20 GMT", "1s ", "s",
  ])
  func `nonsense says nothing`(_ value: String) throws {
    #expect(try hint([("retry-after", value), ("x-ratelimit-reset", value), ("retry-after-ms", value)]) == nil)
  }

  @Test func `nobody waits longer than a day`() throws {
    for long in ["99999999", "99999999999999999999"] {
      #expect(try hint([("retry-after", long)]) == 86_400_000)
      #expect(try hint([("retry-after-ms", long)]) == min(86_400_000, Int(long) ?? .max))
    }
    #expect(try hint([("x-ratelimit-reset", "99999999999999999999")]) == 86_400_000)
    var hint = RetryHint(now: Self.now)
    hint.take("retry-after-ms", "1001")
    #expect(hint.seconds == 2)
  }

  @Test func `a prompt that is too long is known by what providers say of it`() {
    for message in [
      "This model's maximum context length is 8192 tokens.", "prompt is too long: 210000 tokens > 200000 maximum",
      "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
      "Input is too long for requested model.",
    ] {
      #expect(Failure(.invalidRequest, message).mayBeMended)
      #expect(!Failure(.notFound, message).exceedsContext)
    }
    #expect(!Failure(.invalidRequest, "`messages` is missing.").mayBeMended)
  }
}
