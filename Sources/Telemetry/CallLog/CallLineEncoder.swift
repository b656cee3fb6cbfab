import JSON
import Kernel

/// Encodes call log lines, one after another, into the chunk that it holds.
///
/// A value longer than a thirty-second of a chunk (4 KiB of 128) is cut between two characters and ends with `…`; a
/// line that comes near a quarter of a chunk (32 KiB) cuts what follows shorter and leaves headers out. Each such
/// value is counted in `truncated`.
struct CallLineEncoder: ~Copyable {
  var chunk: CallLogChunk
  /// `,"key":"` of every field, one after another, and where each begins.
  private let keys: ByteBuffer
  private let keyStarts: [Int]
  /// `{"time":"` and the second that `timeSecond` names.
  private var timePrefix = ByteBuffer(capacity: 32)
  private var timeSecond = Int.min

  private let chunkSize: Int
  private let lineLimit: Int
  private let valueLimit: Int
  private var lineStart = 0
  private var truncated = 0
  private var headers = CallField.requestHeaders
  private var isFirstHeader = true
  private var isFirstDecision = true

  init(chunkSize: Int) {
    chunk = CallLogChunk(capacity: chunkSize)
    self.chunkSize = chunkSize
    lineLimit = chunkSize / 4
    valueLimit = chunkSize / 32
    var keys = ByteBuffer(capacity: 512)
    var starts: [Int] = []
    for field in CallField.allCases {
      starts.append(keys.count)
      keys.append(",\"")
      keys.append(field.key)
      keys.append("\":\"")
    }
    keyStarts = starts + [keys.count]
    self.keys = keys
  }

  /// Whether the longest line might not fit.
  var isNearlyFull: Bool { chunk.buffer.count + lineLimit > chunkSize }

  mutating func begin(time: Int) {
    lineStart = chunk.buffer.count
    truncated = 0
    let second = Timestamp.seconds(of: time)
    if second != timeSecond { render(second, of: time) }
    chunk.buffer.append(timePrefix, 0..<timePrefix.count)
    Timestamp.append(fractionOf: time, to: &chunk.buffer)
    chunk.buffer.append(UInt8(ascii: "\""))
  }

  mutating func append(_ field: CallField, _ bytes: Span<UInt8>) {
    appendKey(field, opensString: true)
    appendText(bytes)
  }

  /// Members rendered beforehand.
  mutating func append(_ members: CallLogMembers) {
    if members.bytes.count < remaining { chunk.buffer.append(members.bytes.span) }
  }

  mutating func append(_ field: CallField, word: StaticString) {
    appendKey(field, opensString: true)
    chunk.buffer.append(word)
    chunk.buffer.append(UInt8(ascii: "\""))
  }

  mutating func append(_ field: CallField, integer: Int) {
    appendKey(field, opensString: false)
    chunk.buffer.append(decimal: integer)
  }

  /// - Parameter digits: sixteen hexadecimal digits for each number.
  mutating func append(_ field: CallField, digits low: UInt64, after high: UInt64?) {
    appendKey(field, opensString: true)
    if let high { chunk.buffer.append(sixteenDigits: high) }
    chunk.buffer.append(sixteenDigits: low)
    chunk.buffer.append(UInt8(ascii: "\""))
  }

  mutating func beginHeaders(_ field: CallField) {
    headers = field
    isFirstHeader = true
  }

  /// Writes what stands before a header: the object's own key before the first one, which is absent when there is none.
  private mutating func separateHeader() {
    if isFirstHeader {
      appendKey(headers, opensString: false)
      chunk.buffer.append(UInt8(ascii: "{"))
    } else {
      chunk.buffer.append(UInt8(ascii: ","))
    }
    isFirstHeader = false
  }

  mutating func header(_ key: CallLogHeaderKey, value: Span<UInt8>) {
    if remaining < 256 {
      truncated += 1
      return
    }
    separateHeader()
    chunk.buffer.append(key.bytes.span)
    appendText(value)
  }

  mutating func header(name: Span<UInt8>, value: Span<UInt8>) {
    if remaining < 256 {
      truncated += 1
      return
    }
    separateHeader()
    chunk.buffer.append(UInt8(ascii: "\""))
    appendText(name)
    chunk.buffer.append(":\"")
    appendText(value)
  }

  mutating func endHeaders() {
    if !isFirstHeader { chunk.buffer.append(UInt8(ascii: "}")) }
  }

  mutating func beginDecisions() { isFirstDecision = true }

  mutating func decision(_ plugin: Span<UInt8>, _ verdict: StaticString, microseconds: Int) {
    if remaining < 256 {
      truncated += 1
      return
    }
    if isFirstDecision {
      appendKey(.decisions, opensString: false)
      chunk.buffer.append(UInt8(ascii: "["))
    } else {
      chunk.buffer.append(UInt8(ascii: ","))
    }
    isFirstDecision = false
    chunk.buffer.append("{\"plugin\":\"")
    appendText(plugin)
    chunk.buffer.append(",\"verdict\":\"")
    chunk.buffer.append(verdict)
    chunk.buffer.append("\",\"us\":")
    chunk.buffer.append(decimal: microseconds)
    chunk.buffer.append(UInt8(ascii: "}"))
  }

  mutating func endDecisions() {
    if !isFirstDecision { chunk.buffer.append(UInt8(ascii: "]")) }
  }

  mutating func end() {
    if truncated > 0 { append(.truncated, integer: truncated) }
    chunk.buffer.append("}\n")
    chunk.lines += 1
  }

  /// Takes back the line that has begun.
  mutating func abandonLine() { chunk.buffer.truncate(to: lineStart) }

  private var remaining: Int { lineLimit - (chunk.buffer.count - lineStart) }

  private mutating func appendKey(_ field: CallField, opensString: Bool) {
    let index = Int(field.rawValue)
    let end = keyStarts[index + 1] - (opensString ? 0 : 1)
    chunk.buffer.append(keys, keyStarts[index]..<end)
  }

  /// Appends the rest of a string that is open, and its closing quote.
  private mutating func appendText(_ bytes: Span<UInt8>) {
    // An escape takes six bytes at most.
    let room = max(0, min(valueLimit, remaining / 6))
    if bytes.count <= room {
      chunk.buffer.append(jsonEscaped: bytes)
    } else {
      appendCut(bytes, to: room)
    }
    chunk.buffer.append(UInt8(ascii: "\""))
  }

  @inline(never)
  private mutating func appendCut(_ bytes: Span<UInt8>, to room: Int) {
    var end = room
    // Not between the bytes of one character: it has three continuation bytes at most.
    for _ in 0..<3 where end > 0 && bytes[end] & 0xC0 == 0x80 { end -= 1 }
    chunk.buffer.append(jsonEscaped: bytes.extracting(0..<end))
    chunk.buffer.append("…")
    truncated += 1
  }

  private mutating func render(_ second: Int, of time: Int) {
    timeSecond = second
    timePrefix.removeAll()
    timePrefix.append("{\"time\":\"")
    Timestamp.append(secondOf: time, to: &timePrefix)
  }
}

extension ByteBuffer {
  /// Appends a part of another buffer.
  fileprivate mutating func append(_ other: borrowing ByteBuffer, _ range: Range<Int>) {
    append(other.span.extracting(range))
  }
}
