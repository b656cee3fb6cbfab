import HTTP
import Kernel
import PluginKit

/// What is stored under one key: the answers that differ by fields of the request, the newest first.
final class CachedResource: Sendable {
  private let key: [UInt8]
  private let hostLength: Int
  private let pathLength: Int
  private let route: String
  let answers: [CachedAnswer]
  let bytes: Int

  private static let mostAnswers = 16

  init(_ key: CallKey, _ answers: [CachedAnswer]) {
    self.key = key.text
    (hostLength, pathLength, route) = (key.hostLength, key.pathLength, key.route)
    self.answers = answers
    bytes = answers.reduce(256 + key.text.count) { $0 + $1.bytes }
  }

  func isOf(_ text: Span<UInt8>) -> Bool {
    let key = key
    return ByteScan.equal(text, key.span)
  }

  /// The answer for a request; nil when none was chosen for one like it.
  func answer(for request: borrowing RequestMessage, _ scratch: inout ByteBuffer) -> CachedAnswer? {
    for answer in answers where answer.suits(request, &scratch) { return answer }
    return nil
  }

  /// With one answer more, in the place of one for the same requests.
  func adding(_ answer: CachedAnswer, _ key: CallKey) -> CachedResource {
    let others = answers.filter { $0.vary != answer.vary || $0.varied != answer.varied }
    return CachedResource(key, [answer] + others.prefix(Self.mostAnswers - 1))
  }

  func isCovered(by purge: AnswerPurge) -> Bool {
    if let wanted = purge.route, wanted != route { return false }
    let host = key[1..<1 + hostLength]
    if let wanted = purge.host, !wanted.lowercased().utf8.elementsEqual(host) { return false }
    let path = key[2 + hostLength..<2 + hostLength + pathLength]
    if let wanted = purge.path, !wanted.utf8.elementsEqual(path) { return false }
    if let wanted = purge.prefix, !path.starts(with: wanted.utf8) { return false }
    return true
  }
}

/// A key that outlives the request's turn.
struct CallKey: Sendable {
  let text: [UInt8]
  let hostLength: Int
  let pathLength: Int
  let hash: UInt64
  let resourceHash: UInt64
  let route: String

  init(_ key: borrowing CacheKey, route: String) {
    let span = key.text.span
    text = Array(copying: span)
    (hostLength, pathLength) = (key.hostLength, key.pathLength)
    (hash, resourceHash) = (key.hash, key.resourceHash)
    self.route = route
  }
}
