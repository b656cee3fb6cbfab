import Foreign
import Kernel
import PluginKit

/// The answers that several gateways share, in a store of Redis or Valkey: one value each, and a stream of the questions.
///
/// A store that is away is a cache without answers: nothing waits longer than its timeout, and nothing fails.
final class SharedAnswers {
  private let store: any SharedStore
  private let ttl: Int
  private let prefix: String
  private let progress: SharedQuestions

  init(_ store: any SharedStore, _ settings: AICache.Settings, _ progress: SharedQuestions) {
    self.store = store
    self.progress = progress
    ttl = settings.ttl
    prefix = "sluice:ai_cache:\(settings.label):"
  }

  /// Longer answers stay in the gateway that asked for them.
  private static let longest = 48 << 10

  func find(_ key: SHA256Digest) async -> [UInt8]? {
    let found = try? await store.run(Self.get, key: name(of: key), values: [])
    return found?.first ?? nil
  }

  /// Keeps an answer, and the question that it is found by.
  func keep(_ octets: [UInt8], _ key: SHA256Digest, _ place: QuestionPlace?) async {
    if octets.count > Self.longest { return }
    let milliseconds = Array("\(max(1, ttl / 1_000_000))".utf8)
    do throws(StoreError) {
      _ = try await store.run(Self.set, key: name(of: key), values: [octets, milliseconds])
      guard let place, place.vector.groups.count <= SharedQuestion.mostGroups else { return }
      let question = SharedQuestion(place, key, end: Clock.wall / 1_000_000 + ttl / 1_000_000)
      _ = try await store.run(
        Self.add, key: questions, values: question.values + [progress.gateway, milliseconds])
    } catch { return }
  }

  /// Takes in the questions that other gateways were asked since this was last called.
  ///
  /// Of all workers one reads at a time.
  ///
  /// - Parameter end: when the latest of them is over, in monotonic nanoseconds.
  /// - Returns: how many had to go for them, and by how many bytes all of them together take more now.
  func readQuestions(into answers: SimilarAnswers, until end: Int, now: Int) async -> (dropped: Int, growth: Int) {
    var (dropped, growth) = (0, 0)
    guard var last = progress.begin(now: now) else { return (0, 0) }
    defer { progress.end(last) }
    while !Task.isCancelled {
      guard let words = try? await store.run(Self.read, key: questions, values: [last]), !words.isEmpty else { break }
      var index = 0
      while index + SharedQuestion.words < words.count {
        guard let id = words[index] else { break }
        last = Array("(".utf8) + id
        let question = SharedQuestion(words[(index + 1)...(index + SharedQuestion.words)].map { $0 ?? [] })
        index += 1 + SharedQuestion.words
        guard let question, question.gateway != progress.gateway else { continue }
        let left = (question.end - Clock.wall / 1_000_000) * 1_000_000
        if left <= 0 { continue }
        let result = answers.insert(AnswerElsewhere(question.key), question.place, until: min(end, now + left))
        dropped += result.dropped
        growth += result.growth
      }
    }
    return (dropped, growth)
  }

  private func name(of key: SHA256Digest) -> [UInt8] { Array(prefix.utf8) + Array(key.hexadecimal.utf8) }
  private var questions: [UInt8] { Array("\(prefix)questions".utf8) }

  // MARK: Scripts

  private static let get = StoreScript("return redis.call('GET', KEYS[1])")
  private static let set = StoreScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")
  private static let add = StoreScript(
    """
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', 10000, '*',
      'f', ARGV[1], 'k', ARGV[2], 'v', ARGV[3], 'e', ARGV[4], 'g', ARGV[5])
    return redis.call('PEXPIRE', KEYS[1], ARGV[6])
    """)
  /// As many as have room in an answer.
  private static let read = StoreScript(
    """
    local out, size = {}, 0
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], ARGV[1], '+', 'COUNT', 100)) do
      size = size + #entry[2][6] + 200
      if size > 50000 and #out > 0 then break end
      out[#out + 1] = entry[1]
      for i = 2, 10, 2 do out[#out + 1] = entry[2][i] end
    end
    return out
    """)
}

/// An answer that another gateway has put into the store.
final class AnswerElsewhere: KeptAnswer {
  let key: SHA256Digest
  let size = 32

  init(_ key: SHA256Digest) { self.key = key }
}

/// How far the questions of a store were read, for all workers of a gateway.
final class SharedQuestions: Sendable {
  /// By what a gateway knows its own questions again.
  let gateway: [UInt8]
  private let state = Lock((last: Array("-".utf8), isBusy: false, begun: Int.min / 2))

  /// Nanoseconds between two looks.
  static let pause = 1_000_000_000

  init() {
    gateway = Array("\(UInt64.random(in: 0 ... .max))".utf8)
  }

  /// From where on to read; nil while somebody does, or just did.
  func begin(now: Int) -> [UInt8]? {
    state.withLock { state in
      if state.isBusy || now - state.begun < Self.pause / 2 { return nil }
      (state.isBusy, state.begun) = (true, now)
      return state.last
    }
  }

  func end(_ last: [UInt8]) { state.withLock { ($0.last, $0.isBusy) = (last, false) } }
}

/// A question as it stands in the store.
struct SharedQuestion {
  let place: QuestionPlace
  let key: SHA256Digest
  /// Milliseconds since 1970 when its answer is over.
  let end: Int
  private(set) var gateway: [UInt8] = []

  static let words = 5
  /// In the year 10,889; what is later is no time.
  private static let latest = 1 << 48
  /// 32 KiB of numbers.
  static let mostGroups = 512

  init(_ place: QuestionPlace, _ key: SHA256Digest, end: Int) {
    (self.place, self.key, self.end) = (place, key, end)
  }

  /// All but the gateway.
  var values: [[UInt8]] {
    [Array(place.frame.hexadecimal.utf8), Array(key.hexadecimal.utf8), place.vector.octets, Array("\(end)".utf8)]
  }

  /// Nil where these are not the words of one.
  init?(_ words: [[UInt8]]) {
    let texts = words.map { String(decoding: $0, as: UTF8.self) }
    guard words.count == Self.words, let frame = SHA256Digest(hexadecimal: texts[0]),
      let key = SHA256Digest(hexadecimal: texts[1]), let vector = Embedding(octets: words[2]), let end = Int(texts[3]),
      0...Self.latest ~= end
    else { return nil }
    place = QuestionPlace(frame: frame, vector: vector)
    (self.key, self.end) = (key, end)
    gateway = words[4]
  }
}
