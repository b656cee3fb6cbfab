/// How large a call is, as far as that can be known before a model has counted.
extension ModelRequest {
  /// An estimate of the prompt's tokens, by its length.
  public var inputTokens: Int {
    if operation?.isFree == true { return 0 }
    return body.estimatedTokens + (isForm ? TokenEstimate.attachment : 0) + saidTokens
  }

  /// Whether a text comes as the numbers of its tokens, which nobody but the model can read.
  public var saysTokens: Bool { saidTokens > 0 }

  /// Texts to embed may be sent as the tokens that they are.
  private var saidTokens: Int { asksEmbeddings ? body["input"]?.tokens ?? 0 : 0 }

  /// The most tokens that the client lets the answer have, over all choices that it asks for; nil where it says nothing.
  public var outputTokens: Int? {
    if let operation, operation.isDetermined || operation.isFree { return 0 }
    let settings = front == .generate ? body.either("generationConfig") : body
    let limit =
      switch front {
      case .chat: body["max_completion_tokens"] ?? body["max_tokens"]
      case .messages: body["max_tokens"]
      case .responses: body["max_output_tokens"]
      case .generate: settings?.either("maxOutputTokens")
      }
    guard let tokens = limit?.integer, tokens >= 0 else { return nil }
    let choices = (front == .generate ? settings?.either("candidateCount") : body["n"])?.integer ?? 1
    return min(tokens, Usage.most) * min(max(1, choices), Self.mostChoices)
  }

  private static let mostChoices = 1024

  /// The same where this provider must be told a limit, and is told one for a client that said none.
  public func outputTokens(for back: Back) -> Int? {
    outputTokens
      ?? (back == .anthropic && back.native != front ? Messages.defaultMaxTokens(thinking: thinking) : nil)
  }

  /// How many tokens the client lets the model think, 0 where it says only how hard; nil where it says nothing.
  private var thinking: Int? {
    let config = front == .generate ? body.either("generationConfig")?.either("thinkingConfig") : nil
    if let tokens = config?.either("thinkingBudget")?.integer { return tokens > 0 ? tokens : nil }
    let effort =
      switch front {
      case .chat: body["reasoning_effort"]
      case .messages: body["output_config"]?["effort"]
      case .responses: body["reasoning"]?["effort"]
      case .generate: config?.either("thinkingLevel")
      }
    return effort?.string.flatMap { $0 == "none" ? nil : 0 }
  }

  /// Every text of the request in its order, wherever its dialect has it, but for data in base64.
  ///
  /// Not what a conversation is read into: a client of the same dialect may say more than that has a place for.
  public var texts: [String] { body.texts }
}

extension Part {
  /// Bytes of what a model wrote.
  var length: Int {
    switch self {
    case .text(let text), .refusal(let text), .reasoning(.text(let text, _)): text.utf8.count
    case .toolCall(let call): call.name.utf8.count + call.arguments.utf8.count
    case .image, .file, .toolResult, .reasoning(.opaque): 0
    }
  }
}

/// How many tokens a text probably is.
///
/// No tokeniser of our own: each model has another, and the provider's count is the truth that settles it. Four bytes to
/// a token is what providers say of English; other languages have more tokens to the letter and more bytes too.
public enum TokenEstimate {
  public static func tokens(ofBytes count: Int) -> Int { (max(0, count) + 3) / 4 }

  /// What an image or a file in the request counts: about what providers charge for a picture of a screen.
  static let attachment = 1500
}

extension JSONElement {
  /// What all texts in it would be as tokens; data in base64 counts as an attachment.
  fileprivate var estimatedTokens: Int {
    var bytes = 0
    var attachments = 0
    for place in index..<tape.entries[index].next {
      let entry = tape.entries[place]
      guard entry.kind == .string else { continue }
      if entry.end - entry.start > Self.longestWord,
        isData(entry.start + 1..<entry.start + Self.longestWord)
      {
        attachments += 1
      } else {
        bytes += entry.end - entry.start - 2
      }
    }
    return TokenEstimate.tokens(ofBytes: bytes) + attachments * TokenEstimate.attachment
  }

  /// How many numbers are in it: tokens that the client made of a text itself.
  fileprivate var tokens: Int { tape.entries[index..<tape.entries[index].next].count { $0.kind == .number } }

  fileprivate var texts: [String] {
    var found: [String] = []
    collectTexts(into: &found)
    return found
  }

  private func collectTexts(into found: inout [String]) {
    if isObject {
      for (_, value) in members { value.collectTexts(into: &found) }
    } else if isArray {
      for value in elements { value.collectTexts(into: &found) }
    } else if let string {
      let entry = tape.entries[index]
      // All of it: behind a long word could stand what somebody wants to hide.
      if entry.end - entry.start <= Self.longestWord || !isData(entry.start + 1..<entry.end - 1) {
        found.append(string)
      }
    }
  }

  /// Whether it is a string of nothing but base64, and longer than anything that people write so.
  var isDataInBase64: Bool {
    let entry = tape.entries[index]
    return entry.kind == .string && entry.end - entry.start > Self.longestPlainWord
      && isData(entry.start + 1..<entry.end - 1)
  }

  private static let longestPlainWord = 128
  private static let longestWord = 4096

  /// Whether text is what base64 is written with, behind the head that a `data:` URL has, and nothing else.
  private func isData(_ range: Range<Int>) -> Bool {
    let text = tape.bytes[range]
    var start = text.startIndex
    if text.starts(with: "data:".utf8), let comma = text.prefix(256).firstIndex(of: UInt8(ascii: ",")) {
      start = comma + 1
    }
    for index in start..<text.endIndex {
      switch text[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        continue
      // Some write a slash as `\/`.
      case UInt8(ascii: "\\") where index + 1 < text.endIndex && text[index + 1] == UInt8(ascii: "/"): continue
      default: return false
      }
    }
    return true
  }
}
