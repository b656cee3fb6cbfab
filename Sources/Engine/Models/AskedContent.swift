import AI
import Detection
import PluginKit

/// What a call asks, as plugins see and edit it.
final class AskedContent: CallContent {
  private let asked: ModelRequest
  private let isPrompt: Bool
  private let isStored: Bool
  /// With what plugins put in the places of its texts; nil where none did.
  private(set) var edited: ModelRequest?
  private var filters: [() -> any TextFilter] = []

  /// - Parameters:
  ///   - isPrompt: whether it is of a prompt. What its model says is not yet what its caller gets: prompts keep their own.
  ///   - isStored: whether the provider keeps the answer, so that it is this one.
  init(_ asked: ModelRequest, isPrompt: Bool, isStored: Bool) {
    self.asked = asked
    self.isPrompt = isPrompt
    self.isStored = isStored
  }

  private var current: ModelRequest { edited ?? asked }

  var temperature: Double? { asked.temperature }
  var isDetermined: Bool { asked.isDetermined }
  var saysTokens: Bool { asked.saysTokens }
  var texts: [String] { current.texts }
  var userTexts: [String] { current.userTexts }

  // MARK: Filters

  func filter(_ makeFilter: @escaping () -> any TextFilter) -> Bool {
    guard let request = try? current.filtered(makeFilter) else { return false }
    edited = request
    filters.append(makeFilter)
    return true
  }

  /// Another request of the same call, its texts filtered as those of the first.
  func filtered(_ request: ModelRequest) throws(Refusal) -> ModelRequest {
    var request = request
    for filter in filters { request = try request.filtered(filter) }
    return request
  }

  // MARK: Caches

  /// Of a form not all is known that the answer depends on.
  var canonical: [UInt8]? { isPrompt || asked.isForm || isStored ? nil : asked.canonical }
  var meaning: [UInt8]? { isPrompt ? nil : current.meaning?.text }
  var question: (frame: [UInt8], text: String)? { isPrompt ? nil : current.question }

  func readAnswer(_ octets: [UInt8]) -> (any KeptAnswer)? { Answer(octets: octets).map { KeptModelAnswer($0) } }
}
