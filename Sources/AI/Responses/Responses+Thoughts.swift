import JSON
import Kernel

/// What a model thought, as clients of Responses keep it and send it back: a summary, and what only its maker reads.
extension Responses {
  /// What stands before a signature, and before what is nothing but secret: what comes back is told apart by it.
  private static let signed = "signed."
  private static let secret = "secret."

  /// What proves a thought to its maker; nil where nobody has signed it.
  static func seal(_ thought: Thought) -> String? {
    switch thought {
    case .text(_, let signature): signature.map { signed + $0 }
    case .opaque(let data): secret + data
    }
  }

  static func unseal(_ sealed: String, _ text: String) -> Thought? {
    if sealed.hasPrefix(signed) { return .text(text, signature: String(sealed.dropFirst(signed.count))) }
    return sealed.hasPrefix(secret) ? .opaque(String(sealed.dropFirst(secret.count))) : nil
  }

  static func writeSummary(_ text: String, into json: inout JSONWriter) {
    json.object {
      $0.member("type", "summary_text")
      $0.member("text", text)
    }
  }

  /// The members of an item that is a thought.
  static func write(_ thought: Thought, isWhole: Bool, into json: inout JSONWriter) {
    json.member("type", "reasoning")
    json.array("summary") {
      if isWhole, case .text(let text, _) = thought, !text.isEmpty { writeSummary(text, into: &$0) }
    }
    if isWhole { json.member("encrypted_content", ifPresent: seal(thought)) }
  }
}
