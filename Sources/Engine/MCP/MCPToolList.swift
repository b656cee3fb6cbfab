import AI
import HTTP
import JSON
import Kernel

/// Takes tools out of the lists that servers send, as a document or as events of a stream.
enum MCPToolList {
  /// Nil where it cannot be read: then nobody knows what is in it.
  static func filter(_ body: [UInt8], _ isAllowed: (String) -> Bool) -> ByteBuffer? {
    var out = ByteBuffer(capacity: body.count)
    let first = body.first { $0 > 0x20 }
    if first == nil { return out }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      guard let document = filter(document: body, isAllowed) else { return nil }
      out.append(document.span)
      return out
    }
    var events = ServerSentEvents()
    var position = 0
    do {
      while try events.next(body.span, at: &position) {
        let data = events.eventData
        if data.isEmpty {
          events.appendRaw(to: &out)
        } else {
          guard let document = filter(document: data, isAllowed) else { return nil }
          if document == data {
            events.appendRaw(to: &out)
          } else {
            append(document, in: events, to: &out)
          }
        }
      }
    } catch { return nil }
    return out
  }

  /// Writes an event once more with other data: its id and its name stay.
  private static func append(_ data: [UInt8], in events: borrowing ServerSentEvents, to out: inout ByteBuffer) {
    var raw = ByteBuffer()
    events.appendRaw(to: &raw)
    for line in BodyCollector.array(raw).split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
    where !line.starts(with: Array("data".utf8)) {
      out.append(Array(line).span)
      out.append("\n")
    }
    out.append("data: ")
    let line = data.filter { $0 != 0x0A && $0 != 0x0D }
    out.append(line.span)
    out.append("\n\n")
  }

  private static func filter(document: [UInt8], _ isAllowed: (String) -> Bool) -> [UInt8]? {
    guard let element = try? JSONElement(parsing: document) else { return nil }
    var kept: [UInt8] = []
    var done = 0
    for message in element.isArray ? element.elements : [element] {
      guard let tools = message["result"]?["tools"], tools.isArray else { continue }
      kept += document[done..<tools.range.lowerBound]
      let allowed = tools.elements.filter { isAllowed($0["name"]?.string ?? "") }
      kept.append(UInt8(ascii: "["))
      for (index, tool) in allowed.enumerated() {
        if index > 0 { kept.append(UInt8(ascii: ",")) }
        kept += document[tool.range]
      }
      kept.append(UInt8(ascii: "]"))
      done = tools.range.upperBound
    }
    if done == 0 { return document }
    return kept + document[done...]
  }
}
