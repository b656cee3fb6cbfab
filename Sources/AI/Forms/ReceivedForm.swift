import JSON
import Kernel

/// A form as far as it was read before a model was chosen: what follows passes as it comes.
public struct ReceivedForm: Sendable {
  /// From the form's first octet.
  let content: [UInt8]
  let model: Range<Int>

  /// The same with another name of the model.
  func renamed(_ name: String) -> [UInt8] {
    content[..<model.lowerBound] + Array(name.utf8) + content[model.upperBound...]
  }
}

extension ModelRequest {
  /// - Parameters:
  ///   - reader: has read what is there, and found the model.
  ///   - content: what is there of the form.
  public init(_ reader: FormReader, _ content: [UInt8], _ operation: PassedOperation) throws(Refusal) {
    guard let model = reader.model else { throw Refusal("model", "`model` is missing.") }
    let text = String(decoding: content[model], as: UTF8.self)
    guard !text.isEmpty, text.utf8.count <= Self.longestModel, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
      throw Refusal("model", "`model` is no name of a model.")
    }
    try self.init(operation.front, body: Self.document(reader.fields), operation: operation)
    form = ReceivedForm(content: content, model: model)
  }

  private static let longestModel = 256

  /// What the form says in words, as those see it who look at texts.
  private static func document(_ fields: [(name: String, text: String)]) -> [UInt8] {
    var names: [String] = []
    var texts: [String: [String]] = [:]
    for field in fields {
      if texts[field.name] == nil { names.append(field.name) }
      texts[field.name, default: []].append(field.text)
    }
    var json = JSONWriter()
    json.object {
      for name in names {
        let texts = texts[name] ?? []
        if texts.count == 1 {
          $0.member(name, texts[0])
        } else {
          $0.array(name) { for text in texts { $0.value(text) } }
        }
      }
    }
    return Array(copying: json.buffer.span)
  }
}
