import HTTP
import Kernel
import Testing

@Test func `a plain request is decoded`() throws {
  let text = "GET /a?b=c HTTP/1.1\r\nHost: x:80\r\nAccept: */*\r\n\r\n"
  var decoder = RequestDecoder(limits: HTTPLimits())
  var head = RequestHead()
  let done = try decoder.decode(text.utf8Span.span, into: &head)
  #expect(done)
  #expect(head.length == text.utf8.count)
  #expect(head.method == .get)
}
