import Kernel

/// Writes to standard output and standard error.
enum Terminal {
  static func print(_ text: String) { try? File.standardOutput.writeAll((text + "\n").utf8Span.span) }
  static func error(_ text: String) { try? File.standardError.writeAll(text.utf8Span.span) }
}
