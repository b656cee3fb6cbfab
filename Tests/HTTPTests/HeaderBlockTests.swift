import HTTP
import Kernel
import Testing

@Suite struct HeaderBlockTests {
  /// Decodes a request with these field lines (and a Host before them), edits it, and returns what is forwarded.
  private func forwarded(
    _ lines: String, droppingContentLength: Bool = false,
    _ edit: (inout HeaderBlock, Span<UInt8>) -> Void = { _, _ in }
  ) throws -> String {
    let text = "POST / HTTP/1.1\r\nHost: h\r\n\(lines)\r\n"
    let source = text.utf8Span.span
    var decoder = RequestDecoder(limits: HTTPLimits())
    var head = RequestHead()
    let done = try decoder.decode(source, into: &head)
    #expect(done)
    edit(&head.headers, source)
    var out = ByteBuffer(capacity: 16)
    head.headers.write(from: source, into: &out, droppingContentLength: droppingContentLength)
    return Wire.text(out.span)
  }

  @Test func `kept lines are forwarded byte for byte`() throws {
    let lines = "A:1\r\nb-B:  2 \t\r\nC:\r\nA: 3\r\n"
    #expect(try forwarded(lines) == "Host: h\r\n" + lines)
  }

  @Test(arguments: [
    "Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: x", "TE: trailers", "Upgrade: h2c",
    "transfer-encoding: chunked", "Proxy-Authorization: Basic eDp5", "Proxy-Authenticate: Basic",
  ])
  func `a field about the connection is not forwarded`(_ line: String) throws {
    #expect(try forwarded("A: 1\r\n\(line)\r\nB: 2\r\n") == "Host: h\r\nA: 1\r\nB: 2\r\n")
    #expect(try forwarded("\(line)\r\n") == "Host: h\r\n")
  }

  @Test func `a field that Connection nominates is not forwarded`() throws {
    let lines = "X-Hop: 1\r\nConnection: x-hop, ,accept , absent\r\nA: 1\r\nAccept: b\r\nx-HOP: 2\r\nB: 2\r\n"
    #expect(try forwarded(lines) == "Host: h\r\nA: 1\r\nB: 2\r\n")
  }

  @Test func `a nominated field can still be read`() throws {
    _ = try forwarded("Connection: x-hop, upgrade\r\nX-Hop: 1\r\nUpgrade: b\r\n") { headers, source in
      let hop = Wire.text(headers.value(named: "X-HOP", in: source))
      let upgrade = Wire.text(headers.value(of: .upgrade, in: source))
      #expect(hop == "1" && upgrade == "b")
    }
  }

  @Test func `Content-Length is kept unless the body is framed anew`() throws {
    let lines = "A: 1\r\nContent-Length: 5\r\nB: 2\r\n"
    #expect(try forwarded(lines) == "Host: h\r\n" + lines)
    #expect(try forwarded(lines, droppingContentLength: true) == "Host: h\r\nA: 1\r\nB: 2\r\n")
    let added = try forwarded("", droppingContentLength: true) { headers, _ in
      headers.add("content-length", "7")
      headers.add("Y", "z")
    }
    #expect(added == "Host: h\r\nY: z\r\n")
  }

  @Test func `setting replaces every field of the name`() throws {
    let result = try forwarded("Via: 1\r\nA: 1\r\nVIA: 2\r\nX-Y: 3\r\nx-y: 4\r\n") { headers, source in
      headers.set(.via, "1.1 sluice".utf8Span.span, in: source)
      headers.set("x-Y", "5", in: source)
      headers.set("X-y", "6", in: source)
    }
    #expect(result == "Host: h\r\nA: 1\r\nVia: 1.1 sluice\r\nX-y: 6\r\n")
  }

  @Test func `adding keeps the others and removing takes all`() throws {
    let result = try forwarded("Via: 1\r\nA: 1\r\na: 2\r\n") { headers, source in
      headers.add(.via, "2".utf8Span.span)
      headers.add("B", "3")
      headers.remove(named: "A", in: source)
      headers.remove(named: "b", in: source)
      headers.add("C", "4")
      headers.remove(.cookie)
    }
    #expect(result == "Host: h\r\nVia: 1\r\nVia: 2\r\nC: 4\r\n")
  }

  @Test func `an added value is found before a received one and all are visited in order`() throws {
    _ = try forwarded("Via: 1\r\nX: a\r\nVia: 2\r\n") { headers, source in
      headers.add("via", "3")
      headers.add("x", "b")
      let first = Wire.text(headers.value(of: .via, in: source))
      let named = Wire.text(headers.value(named: "VIA", in: source))
      #expect(first == "3" && named == "3")
      var known: [String] = []
      var other: [String] = []
      headers.forEachValue(of: .via, in: source) { known.append(Wire.text($0)) }
      headers.forEachValue(named: "X".utf8Span.span, in: source) { other.append(Wire.text($0)) }
      #expect(known == ["1", "2", "3"])
      #expect(other == ["a", "b"])
      headers.remove(.via)
      let isGone = !headers.contains(.via) && headers.value(of: .via, in: source) == nil
      #expect(isGone)
    }
  }

  @Test(arguments: ["a\r\nB: c", "a\nb", "a\rb", "a\0", "\u{7f}"])
  func `a value that would break the line is not taken`(_ value: String) throws {
    let result = try forwarded("A: 1\r\n") { headers, source in
      let wasSet = headers.set("A", value, in: source)
      let wasAdded = headers.add("B", value)
      let wasKnown = headers.set(.via, value.utf8Span.span, in: source)
      #expect(!wasSet && !wasAdded && !wasKnown)
    }
    #expect(result == "Host: h\r\nA: 1\r\n")
  }

  @Test(arguments: ["", "a b", "a:", "a\r\n", "\u{e9}"])
  func `a name that is no token is not taken`(_ name: String) throws {
    let result = try forwarded("") { headers, source in
      let wasSet = headers.set(name, "x", in: source)
      let wasAdded = headers.add(name, "x")
      #expect(!wasSet && !wasAdded)
    }
    #expect(result == "Host: h\r\n")
  }

  @Test(arguments: FieldName.allCases.filter { $0 != .other })
  func `every known name is known in any case and only whole`(_ name: FieldName) {
    let text = "\(name.text)"
    #expect(FieldName.known(text.utf8Span.span) == name)
    #expect(FieldName.known(text.lowercased().utf8Span.span) == name)
    #expect(FieldName.known(text.uppercased().utf8Span.span) == name)
    #expect(FieldName.known((text + "x").utf8Span.span) == .other)
    #expect(FieldName.known(("x" + text).utf8Span.span) == .other)
    #expect(FieldName.known(String(text.dropLast()).utf8Span.span) == .other)
    for index in text.indices {
      var changed = text
      changed.replaceSubrange(index...index, with: "0")
      #expect(FieldName.known(changed.utf8Span.span) == .other)
    }
  }
}
