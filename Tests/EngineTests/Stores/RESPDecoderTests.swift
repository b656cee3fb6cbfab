import Kernel
import Testing

@testable import Engine

@Suite struct ClusterSlotTests {
  @Test(arguments: [
    ("123456789", 12_739), ("foo", 12_182), ("{user1000}.following", 3443), ("x{user1000}y", 3443), ("user1000", 3443),
    ("", 0),
  ])
  func `keys are in the slots that the cluster says`(key: String, slot: Int) {
    #expect(ClusterSlot.of(Array(key.utf8)) == slot)
  }

  @Test func `empty braces are no tag`() {
    #expect(ClusterSlot.of(Array("{}a".utf8)) != ClusterSlot.of([]))
    #expect(ClusterSlot.of(Array("a{b".utf8)) != ClusterSlot.of(Array("b".utf8)))
  }
}

@Suite struct RESPDecoderTests {
  private static let samples: [(String, RESPValue)] = [
    ("+PONG\r\n", .text(Array("PONG".utf8))),
    ("-NOSCRIPT No matching script.\r\n", .error("NOSCRIPT No matching script.")),
    (":-42\r\n", .integer(-42)), ("$5\r\nhello\r\n", .text(Array("hello".utf8))), ("$0\r\n\r\n", .text([])),
    ("$-1\r\n", .null), ("*-1\r\n", .null), ("_\r\n", .null), ("*0\r\n", .list([])),
    ("*2\r\n:1\r\n:250000\r\n", .list([.integer(1), .integer(250_000)])),
    ("*2\r\n*1\r\n$1\r\na\r\n_\r\n", .list([.list([.text([0x61])]), .null])),
    ("%1\r\n+a\r\n:1\r\n", .list([.text([0x61]), .integer(1)])), ("#t\r\n", .other([0x74])),
    (",1.5\r\n", .other(Array("1.5".utf8))), ("!5\r\nERR x\r\n", .error("ERR x")),
    ("=7\r\ntxt:abc\r\n", .text(Array("txt:abc".utf8))), (">1\r\n+x\r\n", .list([.text([0x78])])),
    ("|1\r\n+ttl\r\n:3\r\n:7\r\n", .integer(7)), ("$4\r\na\r\nb\r\n", .text(Array("a\r\nb".utf8))),
  ]

  private func decode(_ bytes: [UInt8]) throws(RESPError) -> (value: RESPValue, length: Int)? {
    try RESPDecoder.decode(bytes.span)
  }

  @Test(arguments: samples.map(\.0)) func `a reply is read at every split, and no byte beyond it`(text: String) throws {
    let bytes = Array(text.utf8)
    let expected = Self.samples.first { $0.0 == text }?.1
    for count in 0..<bytes.count {
      let part = try decode(Array(bytes[..<count]))
      #expect(part == nil, "\(count) bytes of \(text)")
    }
    for more in ["", "+", ":1\r\n"] {
      let whole = try decode(bytes + Array(more.utf8))
      #expect(whole?.value == expected)
      #expect(whole?.length == bytes.count)
    }
  }

  @Test(arguments: [
    "x\r\n", "\r\n", ":1x\r\n", ":\r\n", "$x\r\n", "$-2\r\n", "$1\r\nab\r\n", "*-2\r\n", "+a\n", "+a\rb",
    "HTTP/1.1 200 OK\r\n",
    "*1\r\n?\r\n", "$9999999999999999999\r\n",
  ])
  func `what is no reply is refused`(text: String) {
    #expect(throws: RESPError.malformed) { try decode(Array(text.utf8)) }
  }

  @Test func `depth, elements and length are bounded`() {
    let deep = String(repeating: "*1\r\n", count: 100)
    for text in [deep, "*1000000\r\n", "$1000000\r\n", "*1000\r\n" + String(repeating: "*1000\r\n", count: 3)] {
      #expect(throws: RESPError.tooLarge) { try decode(Array(text.utf8)) }
    }
    let long = [UInt8(ascii: "+")] + Array(repeating: UInt8(ascii: "a"), count: RESPDecoder.longest)
    #expect(throws: RESPError.tooLarge) { try decode(long) }
  }

  @Test func `random bytes never trap, and mean the same in pieces`() {
    var random = SplitMix(seed: 7)
    let alphabet = Array("+-:$*_#,%~>|!=0123456789\r\n\r\n\r\nab".utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      guard let whole = try? decode(bytes) else { continue }
      for count in 0..<bytes.count {
        let part = try? decode(Array(bytes[..<count]))
        if let part { #expect(part.value == whole.value && part.length == whole.length) }
      }
    }
  }
}
