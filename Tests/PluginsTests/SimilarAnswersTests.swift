import Foreign
import Kernel
import PluginKit
import Testing

@testable import Plugins

/// Answers that are found by what was asked.
@Suite struct SimilarAnswersTests {
  private final class Kept: KeptAnswer {
    let number: Int
    let size: Int
    init(_ number: Int, size: Int = 100) { (self.number, self.size) = (number, size) }
  }

  private func place(_ frame: String, _ numbers: [Float]) throws -> QuestionPlace {
    QuestionPlace(frame: SHA256.digest(of: Array(frame.utf8).span), vector: try #require(Embedding(numbers)))
  }

  private func find(_ answers: SimilarAnswers, _ place: QuestionPlace, least: Double = 0.9, now: Int = 0) -> Int? {
    (answers.find(place, least: least, now: now)?.answer as? Kept)?.number
  }

  @Test func `the nearest question decides, if it is near enough`() throws {
    let answers = SimilarAnswers(capacity: 1 << 20, perFrame: 10)
    let vectors: [[Float]] = [[1, 0, 0], [0.9, 0.43, 0], [0, 0, 1]]
    for (number, vector) in vectors.enumerated() {
      _ = answers.insert(Kept(number), try place("a", vector), until: 10)
    }
    #expect(find(answers, try place("a", [5, 0, 0])) == 0)
    #expect(find(answers, try place("a", [0.95, 0.3, 0])) == 1)
    #expect(find(answers, try place("a", [0, 1, 1])) == nil)
    #expect(find(answers, try place("a", [0, 1, 1]), least: 0.7) == 2)
    #expect(find(answers, try place("a", [1, 0, 0]), least: 1) == 0, "the same is the same")
    #expect(find(answers, try place("a", [-1, -1, -1]), least: 0) == nil)
    let found = try #require(answers.find(place("a", [0, 0, 3]), least: 0.9, now: 0))
    #expect(found.similarity == 1)
  }

  @Test func `another frame, another space and another time are not looked at`() throws {
    let answers = SimilarAnswers(capacity: 1 << 20, perFrame: 10)
    _ = answers.insert(Kept(0), try place("a", [1, 0]), until: 10)
    #expect(find(answers, try place("b", [1, 0])) == nil)
    #expect(find(answers, try place("a", [Float](repeating: 1, count: 17))) == nil)
    #expect(find(answers, try place("a", [1, 0]), now: 9) == 0)
    #expect(find(answers, try place("a", [1, 0]), now: 10) == nil)
  }

  @Test func `the oldest make room, in their frame and in all`() throws {
    let answers = SimilarAnswers(capacity: 2000, perFrame: 2)
    // 100 for the answer, 64 for the vector, 200 for the rest: five find room, two of a frame.
    var dropped = 0
    var bytes = 0
    for number in 0..<1000 {
      let result = answers.insert(
        Kept(number), try place("\(number / 3)", number % 3 == 0 ? [1, 0] : number % 3 == 1 ? [0, 1] : [1, 1]),
        until: 10)
      dropped += result.dropped
      bytes += result.growth
      #expect(bytes <= 2000)
    }
    #expect(bytes == 5 * 364 && dropped == 995)
    #expect(find(answers, try place("333", [1, 0])) == 999)
    #expect(find(answers, try place("332", [1, 0])) == nil, "its frame has two")
    #expect(find(answers, try place("332", [0, 1])) == 997)
    #expect(find(answers, try place("331", [1, 1])) == 995, "there is room for five")
    #expect(find(answers, try place("331", [0, 1])) == 994)
    #expect(find(answers, try place("330", [0, 1])) == nil)
    #expect(answers.insert(Kept(1, size: 5000), try place("x", [1]), until: 10) == (0, 0))
  }

  @Test(arguments: [
    (#"{"data":[{"embedding":[3,4.0,0e1]}]}"#, true), (#"{"data":[{"index":0,"embedding":[-1.5e-3]}]}"#, true),
    (#"{"data":[{"embedding":[]}]}"#, false), (#"{"data":[{"embedding":[0,0]}]}"#, false),
    (#"{"data":[{"embedding":["1"]}]}"#, false), (#"{"data":[{"embedding":[1e39,1]}]}"#, false),
    (#"{"data":[{"embedding":[1,[2]]}]}"#, false), (#"{"data":[]}"#, false), (#"{"data":{"0":1}}"#, false),
    (#"{"data":[3]}"#, false), ("[]", false), ("", false), (#"{"data":[{"embedding":[1"#, false),
    (#"{"data":[{"embedding":"AACAPw=="}]}"#, false),
    (#"{"data":[{"embedding":[\#([String](repeating: "1", count: 16_385).joined(separator: ","))]}]}"#, false),
  ])
  func `only a list of numbers that points somewhere is a vector`(_ answer: String, _ isOne: Bool) {
    #expect((Embedding.read(Array(answer.utf8)) != nil) == isOne)
  }

  @Test func `vectors are as long as each other, whatever numbers they come in`() throws {
    let one = try #require(Embedding([3, 4]))
    let other = try #require(Embedding([300, 400]))
    #expect(abs(try #require(one.similarity(to: other)) - 1) < 0.000_01)
    #expect(Embedding([.nan]) == nil && Embedding([.infinity, 1]) == nil)
  }
}
