import JSON
import Kernel

/// Writes to standard output and standard error.
enum Terminal {
  /// A line, or several, on standard output.
  static func print(_ text: String) { write(text.hasSuffix("\n") ? text : text + "\n", to: File.standardOutput) }

  /// A document on standard output.
  static func print(_ json: consuming JSONWriter) {
    var json = json
    json.endLine()
    try? File.standardOutput.writeAll(json.buffer.span)
  }

  /// Text as it is on standard error.
  static func error(_ text: String) { write(text, to: File.standardError) }

  /// Where nobody reads there is nobody to tell.
  private static func write(_ text: String, to file: borrowing File) { try? file.writeAll(text.utf8Span.span) }
}
