import Testing

@testable import Foreign

/// What is counted of a client's frames, and which of its heads has not ended.
@Suite struct HTTP2FrameWalkTests {
  private static let preface = [UInt8]("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  private static func frame(_ type: UInt8, _ flags: UInt8 = 0, _ stream: UInt8 = 0, _ payload: [UInt8] = []) -> [UInt8]
  {
    [
      UInt8(payload.count >> 16), UInt8(payload.count >> 8 & 255), UInt8(payload.count & 255), type, flags, 0, 0, 0,
      stream,
    ]
      + payload
  }

  /// One frame of each kind that is counted, and of each that looks like it and is not.
  private static let octets =
    preface + frame(4) + frame(1, 0, 3, [0x82]) + frame(9, 0, 3, []) + frame(9, 4, 3, [0x86])
    + frame(0, 0, 3, []) + frame(0, 1, 3, []) + frame(0, 8, 3, [2, 0, 0]) + frame(0, 8, 3, [1, 97, 0])
    + frame(8, 0, 0, [0, 0, 0, 1]) + frame(3, 0, 3, [0, 0, 0, 8]) + frame(10, 0, 0, [0, 0]) + frame(250)

  private func walk(_ pieces: ArraySlice<UInt8>..., isOpen: (Int32) -> Bool = { _ in true }) -> HTTP2Tally {
    var (walk, tally) = (HTTP2FrameWalk(.server), HTTP2Tally())
    for piece in pieces { walk.advance(piece.span, &tally, isOpen: isOpen) }
    return tally
  }

  @Test func `frames are counted the same wherever they are split`() {
    var expected = HTTP2Tally()
    // SETTINGS, empty DATA, DATA of padding alone, ALTSVC and one of a type that nobody knows.
    expected.idle = 5
    expected.windowUpdates = 1
    expected.resetsReceived = 1
    for split in 0...Self.octets.count {
      #expect(walk(Self.octets[..<split], Self.octets[split...]) == expected, "split at \(split)")
    }
  }

  @Test func `a head of a stream that is over costs for each of its octets, with what continues it`() {
    let before = Self.preface + Self.frame(1, 5, 3, [0x82])
    let late = Self.frame(1, 1, 3, [0xbe, 0xbe]) + Self.frame(9, 4, 3, [0xbe])
    #expect(walk(before[...], late[...], isOpen: { _ in false }).excess == 3 * 16)
    #expect(walk(before[...], late[...], isOpen: { $0 == 3 }).excess == 0)
    #expect(walk((before + late)[...], isOpen: { _ in false }).excess == 0, "it was opened by what is walked through")
  }

  @Test func `a head is unfinished from its header to its last octet, and each has a number of its own`() {
    let head = Self.frame(1, 1, 3, [0x82, 0x86]) + Self.frame(9, 4, 3, [0x84, 0x41])
    let octets = Self.preface + head + Self.frame(6, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]) + head
    var (walk, tally) = (HTTP2FrameWalk(.server), HTTP2Tally())
    let first = Self.preface.count + 9..<Self.preface.count + head.count
    let second = octets.count - head.count + 9..<octets.count
    for (index, octet) in octets.enumerated() {
      // Between the frames of one head only its continuation may come.
      let number = first.contains(index) ? 1 : second.contains(index) ? 2 : nil
      #expect(walk.unfinishedHead == number, "before octet \(index)")
      walk.advance([octet].span, &tally) { _ in true }
    }
    #expect(walk.unfinishedHead == nil)
  }
}
