import HTTP
import Kernel
import PluginKit
import Testing

@testable import Plugins

@Suite struct TokenCacheTests {
  private func entry(_ token: String, hash: UInt64) -> TokenCache.Entry {
    TokenCache.Entry(
      token: Array(token.utf8), identity: Identity(user: token), lines: .init(), validFrom: 0, validUntil: 1, hash: hash
    )
  }

  private func user(_ token: String, hash: UInt64, in cache: TokenCache) -> String? {
    cache.place(of: token.utf8Span.span, hash: hash).flatMap { cache[$0].identity.user }
  }

  /// With all hashes alike, tokens are told apart by themselves alone.
  @Test(arguments: [UInt64.max, 1, 7])
  func `tokens are found whatever their hashes are`(different: UInt64) {
    var cache = TokenCache(capacity: 100)
    func hash(_ number: Int) -> UInt64 { UInt64(number) % different }
    for number in 0..<100 { _ = cache.insert(entry("token \(number)", hash: hash(number))) }
    for number in 0..<100 { #expect(user("token \(number)", hash: hash(number), in: cache) == "token \(number)") }
    #expect(user("token 100", hash: hash(100), in: cache) == nil)
    let again = cache.insert(entry("token 7", hash: hash(7)))
    #expect(cache.count == 100)
    #expect(cache.place(of: "token 7".utf8Span.span, hash: hash(7)) == again)
  }

  @Test(arguments: [1, 2, 3, 16])
  func `what was not used for a round goes, and everything else stays`(capacity: Int) {
    var cache = TokenCache(capacity: capacity)
    for number in 0..<10 * capacity {
      _ = cache.insert(entry("\(number)", hash: UInt64(number % 3)))
      #expect(user("\(number)", hash: UInt64(number % 3), in: cache) == "\(number)")
      #expect(cache.count == min(number + 1, capacity))
      var found = 0
      for old in 0...number where cache.place(of: "\(old)".utf8Span.span, hash: UInt64(old % 3)) != nil { found += 1 }
      #expect(found == cache.count)
    }
  }

  @Test func `a hash is of a token's end, and tokens that end alike are told apart`() {
    var cache = TokenCache(capacity: 4)
    let end = String(repeating: "s", count: 40)
    let hash = cache.hash("a.\(end)".utf8Span.span)
    #expect(hash == cache.hash("b.\(end)".utf8Span.span))
    #expect(hash != cache.hash("a.\(end)t".utf8Span.span))
    _ = cache.insert(entry("a.\(end)", hash: hash))
    #expect(user("b.\(end)", hash: hash, in: cache) == nil)
    #expect(user("a.\(end)", hash: hash, in: cache) == "a.\(end)")
    #expect(cache.hash("".utf8Span.span) == cache.hash("".utf8Span.span))
  }
}
