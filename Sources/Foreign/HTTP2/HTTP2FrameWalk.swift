import CNghttp2

/// Reads the headers of the frames that come in, beside the library, and counts them.
///
/// The library passes over some frames without a word, those of streams that are over among them, and they cost time all
/// the same: who is judged by what is counted has to be counted here. Octets come in pieces of any size.
struct HTTP2FrameWalk {
  /// Octets of the payload, or of the preface, that are still to come.
  private var left: Int
  /// Octets of a header that have come.
  private var headerCount = 0
  private var length = 0
  private var type: UInt8 = 0
  private var flags: UInt32 = 0
  private var id: Int32 = 0
  /// The next octet says how much of the content is padding.
  private var awaitsPadding = false
  private let isServer: Bool
  /// The highest stream that was opened, and that before what is being walked through.
  private var highest: Int32 = 0
  private var highestBefore: Int32 = 0
  private var headIsLate = false
  private var headIsOpen = false
  private var heads = 0

  private static let headerSize = 9
  /// RFC 9113 §3.4.
  private static let prefaceSize = 24
  /// An octet may name a field of many, so one that nobody hears of counts for more than itself.
  private static let costOfLateOctet = 16

  init(_ role: HTTP2Session.Role) {
    isServer = role == .server
    left = isServer ? Self.prefaceSize : 0
  }

  /// The number of the head that has begun and is not complete; nil when there is none.
  var unfinishedHead: Int? { headIsOpen || (left > 0 && isHead) ? heads : nil }

  private var isHead: Bool { headerCount == 0 && (isType(NGHTTP2_HEADERS) || isType(NGHTTP2_CONTINUATION)) }
  private func isType(_ other: nghttp2_frame_type) -> Bool { UInt32(type) == other.rawValue }

  /// - Parameter isOpen: whether a stream is under way at the beginning of the octets.
  mutating func advance(_ octets: Span<UInt8>, _ tally: inout HTTP2Tally, isOpen: (Int32) -> Bool) {
    highestBefore = highest
    var index = 0
    while index < octets.count {
      if left > 0 {
        if awaitsPadding {
          awaitsPadding = false
          countContent(length - 1 - Int(octets[index]), &tally)
        }
        let step = min(left, octets.count - index)
        left -= step
        index += step
        continue
      }
      takeHeaderOctet(octets[index])
      index += 1
      if headerCount == Self.headerSize {
        headerCount = 0
        begin(&tally, isOpen)
      }
    }
  }

  private mutating func takeHeaderOctet(_ octet: UInt8) {
    switch headerCount {
    case 0: length = Int(octet)
    case 1, 2: length = length << 8 | Int(octet)
    case 3: type = octet
    case 4: flags = UInt32(octet)
    case 5: id = Int32(octet & 0x7f)
    default: id = id << 8 | Int32(octet)
    }
    headerCount += 1
  }

  private mutating func begin(_ tally: inout HTTP2Tally, _ isOpen: (Int32) -> Bool) {
    left = length
    switch UInt32(type) {
    case NGHTTP2_DATA.rawValue:
      awaitsPadding = flags & NGHTTP2_FLAG_PADDED.rawValue != 0 && length > 0
      if !awaitsPadding { countContent(length, &tally) }
    case NGHTTP2_HEADERS.rawValue:
      heads += 1
      headIsLate = isServer && id <= highestBefore && !isOpen(id)
      highest = max(highest, id)
      countHead(&tally)
    case NGHTTP2_CONTINUATION.rawValue: countHead(&tally)
    case NGHTTP2_WINDOW_UPDATE.rawValue: tally.windowUpdates += 1
    case NGHTTP2_RST_STREAM.rawValue: tally.resetsReceived += 1
    default: tally.idle += 1
    }
  }

  private func countContent(_ count: Int, _ tally: inout HTTP2Tally) {
    if count <= 0, flags & NGHTTP2_FLAG_END_STREAM.rawValue == 0 { tally.idle += 1 }
  }

  private mutating func countHead(_ tally: inout HTTP2Tally) {
    headIsOpen = flags & NGHTTP2_FLAG_END_HEADERS.rawValue == 0
    guard headIsLate else { return }
    tally.idle += 1
    tally.excess += length * Self.costOfLateOctet
  }
}
