import HTTP
import Kernel
import PluginKit
import Plugins
import Testing

@Suite struct SourceFormatTests {
  private static let definitions = [PluginDefinition(Transform.self)]

  /// The body as `from: FORMAT` leaves it, or the fault.
  private func convert(_ format: String, _ body: String, type: String, edits: String = "", limit: String = "1MiB")
    throws -> String
  {
    let chain = try PluginFixture.chain(
      "transform: { request: { from: \(format) \(edits) }, limit: \(limit) }", of: Self.definitions)
    var fixture = try ExchangeFixture("POST / HTTP/1.1\nHost: a\nContent-Type: \(type)\nContent-Length: 1\n\n")
    fixture.hold(body)
    switch chain.runRequestBody(&fixture.exchange) {
    case .proceed:
      #expect(fixture.forwarded.contains("Content-Type: application/json"))
      return fixture.body
    case .respond: return "respond"
    case .fail(let fault): return "\(fault.status) \(fault.reason) \(fixture.faultMembers)"
    }
  }

  @Test(arguments: [
    ("<a/>", #"{"a":""}"#), ("<?xml version=\"1.0\"?><a>x &amp; &#252;</a>", #"{"a":"x & ü"}"#),
    ("<a id=\"1\">x</a>", ##"{"a":{"@id":"1","#text":"x"}}"##),
    ("<a>\n <b>1</b>\n <c>2</c>\n <b><d>3</d></b>\n</a>", #"{"a":{"b":["1",{"d":"3"}],"c":"2"}}"#),
    ("<a>text<b/>more</a>", ##"{"a":{"#text":"textmore","b":""}}"##),
    ("<n:a xmlns:n='u'/>", #"{"n:a":{"@xmlns:n":"u"}}"#),
    ("<a><![CDATA[<\"x\">]]></a>", #"{"a":"<\"x\">"}"#),
    ("", #"400 malformed_body "offset":0,"mistake":"this is not well-formed XML""#),
  ])
  func `XML becomes JSON`(body: String, result: String) throws {
    #expect(try convert("xml", body, type: "application/xml") == result)
  }

  @Test(arguments: [
    "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY x 'xx'><!ENTITY y '&x;&x;'>]><a>&y;</a>", "<!DOCTYPE a SYSTEM 'http://127.0.0.1/x'><a/>",
    "<a>&unknown;</a>", "<a><b></a>",
  ])
  func `entities and document types are refused`(body: String) throws {
    #expect(try convert("xml", body, type: "text/xml").hasPrefix("400 malformed_body "))
  }

  @Test func `XML that is nested deeper than JSON may be is refused`() throws {
    let open = String(repeating: "<a>", count: 126)
    let close = String(repeating: "</a>", count: 126)
    #expect(try convert("xml", open + close, type: "text/xml").hasPrefix(#"{"a":{"a":"#))
    #expect(try convert("xml", "<a>" + open + close + "</a>", type: "text/xml").contains("nested too deeply"))
  }

  @Test func `edits see the JSON`() throws {
    #expect(
      try convert(
        "xml", "<ticket><text>x</text></ticket>", type: "text/xml", edits: ", rename: { body.ticket.text: body.text }")
        == #"{"ticket":{},"text":"x"}"#)
    #expect(
      try convert(
        "csv", "a,b\n1,2\n", type: "text/csv; charset=utf-8", edits: ", map: { body: { rename: { item.a: item.z } } }")
        == #"[{"z":"1","b":"2"}]"#)
  }

  @Test(arguments: [
    ("csv", "a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n,\r\n", #"[{"a":"1","b":"x, \"y\"\nz"},{"a":"","b":""}]"#),
    ("csv", "a,b", "[]"), ("csv", "", "[]"), ("csv_rows", "1,2\n3,4", #"[["1","2"],["3","4"]]"#),
    ("csv", "a,b\n1\n", #"400 malformed_body "offset":4,"mistake":"this row has another number of fields""#),
    ("csv", "a,a\n1,2\n", #"400 malformed_body "offset":0,"mistake":"two columns have the same name""#),
    ("csv_rows", "1,\"2", #"400 malformed_body "offset":2,"mistake":"a quote is not closed""#),
    ("csv_rows", "1,\"2\"3", #"400 malformed_body "offset":5,"mistake":"something follows the closing quote""#),
    ("csv_rows", "1,2\"", #"400 malformed_body "offset":3,"mistake":"a quote stands within a field""#),
  ])
  func `CSV becomes JSON`(format: String, body: String, result: String) throws {
    #expect(try convert(format, body, type: "text/csv") == result)
  }

  @Test func `a small table that stands for a huge document is refused`() throws {
    let body = String(repeating: "n", count: 500) + "\n" + String(repeating: "1\n", count: 200)
    #expect(try convert("csv", body, type: "text/csv", limit: "1KiB") == "413 decoded_body_too_large ")
  }

  @Test(arguments: [
    ("a=1&b=x+y%26&a=2&c", #"{"a":["1","2"],"b":"x y&","c":""}"#), ("", "{}"),
    ("a=%ff", #"400 malformed_body "offset":1,"mistake":"it is not UTF-8""#),
  ])
  func `forms become JSON`(body: String, result: String) throws {
    #expect(try convert("form", body, type: "application/x-www-form-urlencoded") == result)
  }

  @Test func `parts of multipart become JSON`() throws {
    let body = [
      "--b1", "Content-Disposition: form-data; name=\"text\"", "", "a -- b", "--b2", "--b1",
      "content-disposition: form-data; name=f; filename=\"x;y.txt\"", "Content-Type: text/plain", "", "hi", "--b1",
      "Content-Disposition: form-data; name=\"text\"", "", "", "--b1--", "",
    ].joined(separator: "\r\n")
    let type = "multipart/form-data; boundary=b1"
    #expect(
      try convert("multipart", body, type: type)
        == #"{"text":["a -- b\r\n--b2",""],"f":{"filename":"x;y.txt","content_type":"text/plain","content":"aGk="}}"#)
    for length in 0..<body.utf8.count - 4 {
      let cut = String(decoding: body.utf8.prefix(length), as: UTF8.self)
      #expect(try convert("multipart", cut, type: type).hasPrefix("400 malformed_body "), "\(length)")
    }
    #expect(try convert("multipart", body, type: "multipart/form-data").contains("names no boundary"))
  }

  @Test func `a body of another type is refused`() throws {
    #expect(try convert("xml", "{}", type: "application/json") == "415 unexpected_content_type ")
  }
}
