import HTTP
import Testing

struct WebSocketTextsTests {
  private func frame(_ opcode: UInt8, _ text: String, final: Bool = true, flags: UInt8 = 0, mask: Bool = false)
    -> [UInt8]
  {
    let bytes = Array(text.utf8)
    var frame: [UInt8] = [(final ? 0x80 : 0) | flags | opcode]
    let bit: UInt8 = mask ? 0x80 : 0
    if bytes.count < 126 {
      frame.append(bit | UInt8(bytes.count))
    } else if bytes.count < 65536 {
      frame += [bit | 126, UInt8(bytes.count >> 8), UInt8(bytes.count & 255)]
    } else {
      frame += [
        bit | 127, 0, 0, 0, 0, 0, UInt8(bytes.count >> 16), UInt8(bytes.count >> 8 & 255), UInt8(bytes.count & 255),
      ]
    }
    return frame + (mask ? [0, 0, 0, 0] : []) + bytes
  }

  private func read(_ pieces: [[UInt8]], longest: Int = 100_000) -> [String] {
    var texts = WebSocketTexts(longest: longest)
    var found: [String] = []
    for piece in pieces { texts.take(piece.span) { found.append(String(decoding: $0, as: UTF8.self)) } }
    return found
  }

  private var usual: [UInt8] {
    frame(1, "Hel", final: false) + frame(9, "ping") + frame(0, "lo") + frame(2, "binary") + frame(1, "")
      + frame(1, String(repeating: "x", count: 300)) + frame(8, "\u{3}\u{e8}")
  }

  @Test func `messages are whole, however their octets are cut`() {
    let expected = ["Hello", "", String(repeating: "x", count: 300)]
    #expect(read(usual.map { [$0] }) == expected)
    for cut in usual.indices { #expect(read([Array(usual[..<cut]), Array(usual[cut...])]) == expected) }
    #expect(read([frame(1, String(repeating: "y", count: 70_000))])[0].count == 70_000)
  }

  @Test func `what is too long or compressed is passed over, and the next is read`() {
    #expect(read([usual], longest: 10) == ["Hello", ""])
    #expect(read([frame(1, "abc", final: false) + frame(0, "def") + frame(1, "g")], longest: 5) == ["g"])
    #expect(read([frame(1, "packed", flags: 0x40) + frame(1, "plain")]) == ["plain"])
  }

  @Test func `what are no frames of a server ends the reading`() {
    #expect(read([frame(1, "a", mask: true) + frame(1, "b")]).isEmpty)
    #expect(read([[0x81, 127, 0xFF, 0, 0, 0, 0, 0, 0, 1] + frame(1, "b")]).isEmpty)
  }
}
