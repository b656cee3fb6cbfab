import Foreign
import JSON
import Kernel

/// XML as JSON: an element is a member of the one around it.
///
/// An element with text alone is that text. One with more is an object: attributes as `@name`, text as `#text`, elements
/// by their names, and a list where a name comes again. White space between elements is dropped.
enum XMLConversion {
  private final class Element {
    let name: String
    var attributes: [(name: String, value: String)]
    var children: [Element] = []
    var text: [UInt8] = []

    init(_ name: String, _ attributes: [(name: String, value: String)]) {
      self.name = name
      self.attributes = attributes
    }
  }

  static func convert(_ body: Span<UInt8>, to out: inout ByteBuffer) throws(ConversionFailure) {
    let events: [XMLReader.Event]
    do throws(XMLReader.Failure) { events = try XMLReader.read(body, depth: JSONDocument.deepest - 2) } catch {
      switch error.reason {
      case .malformed: throw .malformed("this is not well-formed XML", offset: error.offset)
      case .doctype: throw .malformed("a document type is not taken", offset: error.offset)
      case .tooDeep: throw .malformed("it is nested too deeply", offset: error.offset)
      }
    }
    let top = Element("", [])
    var open = [top]
    for event in events {
      switch event {
      case .start(let name, let attributes):
        let element = Element(name, attributes)
        open[open.count - 1].children.append(element)
        open.append(element)
      case .text(let bytes): open[open.count - 1].text += bytes
      case .end: open.removeLast()
      }
    }
    append(top, to: &out)
  }

  private static func append(_ element: Element, to out: inout ByteBuffer) {
    let text = element.children.isEmpty ? element.text[...] : trimmed(element.text)
    if element.attributes.isEmpty, element.children.isEmpty {
      return out.append(json: Array(text).span)
    }
    var isFirst = true
    func name(_ name: String, _ out: inout ByteBuffer) {
      if !isFirst { out.append(",") }
      isFirst = false
      out.append(json: name)
      out.append(":")
    }
    out.append("{")
    for attribute in element.attributes {
      name("@" + attribute.name, &out)
      out.append(json: attribute.value)
    }
    if !text.isEmpty {
      name("#text", &out)
      out.append(json: Array(text).span)
    }
    var groups: [String: [Element]] = [:]
    for child in element.children { groups[child.name, default: []].append(child) }
    for child in element.children {
      guard let group = groups.removeValue(forKey: child.name) else { continue }
      name(child.name, &out)
      if group.count > 1 { out.append("[") }
      for (index, member) in group.enumerated() {
        if index > 0 { out.append(",") }
        append(member, to: &out)
      }
      if group.count > 1 { out.append("]") }
    }
    out.append("}")
  }

  private static func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> {
    var text = text[...]
    while let byte = text.first, byte <= 0x20 { text.removeFirst() }
    while let byte = text.last, byte <= 0x20 { text.removeLast() }
    return text
  }
}
