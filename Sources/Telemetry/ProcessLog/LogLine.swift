import JSON
import Kernel
import Logging

/// One entry of the process log, rendered.
///
/// Text: `20:49:53.123 INFO  message  key=value`, times in UTC. Control characters other than line feeds are written
/// as U+FFFD: what a client sent must not steer a terminal.
///
/// JSON: `time`, `level`, `logger`, `message`, then the metadata as further members; one of those four names among
/// the metadata gets `metadata.` in front.
struct LogLine: ~Copyable {
  private let format: ProcessLog.Format
  private var json = JSONWriter()

  init(format: ProcessLog.Format) { self.format = format }

  var bytes: Span<UInt8> {
    @_lifetime(borrow self) get { json.buffer.span }
  }

  mutating func render(time: Int, level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
    switch format {
    case .text: renderText(time, level, message, metadata)
    case .json: renderJSON(time, level, label, message, metadata)
    }
  }

  private mutating func renderJSON(
    _ time: Int, _ level: Logger.Level, _ label: String, _ message: String, _ metadata: Logger.Metadata
  ) {
    var moment = ByteBuffer(capacity: 32)
    Timestamp.append(microsecondOf: time, to: &moment)
    let timestamp = String(copying: moment)
    json.object {
      $0.member("time", timestamp)
      $0.member("level", level.rawValue)
      $0.member("logger", label)
      $0.member("message", message)
      for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
        let isTaken = ["time", "level", "logger", "message"].contains(key)
        $0.key(isTaken ? "metadata." + key : key)
        $0.value(value)
      }
    }
    json.endLine()
  }

  private mutating func renderText(
    _ time: Int, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata
  ) {
    var moment = ByteBuffer(capacity: 32)
    Timestamp.append(microsecondOf: time, to: &moment)
    // 2026-11-22T20:49:53.123456Z: the time of day, to the millisecond.
    json.buffer.append(moment.span.extracting(11..<23))
    json.buffer.append(" ")
    json.buffer.append(level.word)
    appendPlain(message)
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      json.buffer.append("  ")
      appendPlain(key)
      json.buffer.append("=")
      let text = value.description
      if text.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" || $0.isNewline }) || text.isEmpty {
        json.buffer.append(json: text)
      } else {
        appendPlain(text)
      }
    }
    json.buffer.append("\n")
  }

  private mutating func appendPlain(_ text: String) {
    for scalar in text.unicodeScalars {
      if scalar.properties.generalCategory == .control, scalar != "\n" {
        json.buffer.append("\u{FFFD}")
      } else {
        json.buffer.append(String(Character(scalar)))
      }
    }
  }
}

extension Logger.Level {
  /// Padded to the same width.
  fileprivate var word: String {
    let name = rawValue.uppercased()
    return name + String(repeating: " ", count: max(0, 8 - name.utf8.count))
  }
}

extension JSONWriter {
  fileprivate mutating func value(_ value: Logger.MetadataValue) {
    switch value {
    case .string(let text): self.value(text)
    case .stringConvertible(let number as Int): self.value(number)
    case .stringConvertible(let flag as Bool): self.value(flag)
    case .stringConvertible(let other): self.value(other.description)
    case .array(let values):
      array { for value in values { $0.value(value) } }
    case .dictionary(let members):
      object {
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
          $0.key(key)
          $0.value(value)
        }
      }
    }
  }
}
