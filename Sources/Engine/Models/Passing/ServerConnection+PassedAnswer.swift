import AI
import HTTP
import Kernel
import PluginKit

/// What models answer beside texts, such as speech: it goes to the client as it comes, like any other answer.
extension ServerConnection {
  @inline(never)
  func passAnswer(
    _ slot: ExchangeSlot, _ lease: UpstreamConnection, _ call: ConversationCall, route: WorkerRoute,
    timeouts: CallTimeouts
  ) async -> AttemptOutcome {
    call.firstContent = slot.exchange.times.firstByte
    AnswerFields.keepOwn(&slot.exchange.response)
    if let failure = beginRelay(slot, route: route) { return abandon(lease, .failed(failure)) }
    let outcome = await finishRelay(slot, lease, timeouts: timeouts)
    if case .done = outcome { call.answer.endPassing() }
    return outcome
  }
}

extension ConversationCall {
  /// Whether nobody has to read the answer that begins: it is no JSON, which may say what was used, and nobody looks for
  /// words in it or keeps it.
  func passesOn(_ response: inout ResponseMessage) -> Bool {
    guard request.operation != nil, response.head.status == 200, plan?.isAnswerKept != true,
      response.header(.contentEncoding) == nil, let type = response.header(.contentType)
    else { return false }
    switch AnswerMedia(type) {
    case .json, .events: return false
    case .text: return plan?.isAnswerGuarded != true
    case .data: return true
    }
  }
}

/// What an answer is by its content type, as far as that decides how it is read.
enum AnswerMedia {
  case json
  case events
  /// Words, such as a transcript, or what may have some.
  case text
  /// Sound, pictures.
  case data

  init(_ type: Span<UInt8>) {
    if ByteScan.equal(type, ByteScan.bytes(of: "application/json")) {
      self = .json
      return
    }
    let end = type.indices.first { type[$0] == UInt8(ascii: ";") || type[$0] == 0x20 } ?? type.count
    let name = String(decoding: Array(copying: type.extracting(0..<end)), as: UTF8.self).lowercased()
    switch name {
    case "text/event-stream": self = .events
    case "application/json", "text/json": self = .json
    case "application/octet-stream": self = .data
    default:
      let isData = ["audio/", "image/", "video/"].contains { name.hasPrefix($0) }
      self = isData ? .data : name.hasSuffix("+json") ? .json : .text
    }
  }
}
