/// How large a configuration may be, so that no file, however made, costs much memory or time.
enum ConfigurationLimits {
  /// Bytes of one file. 100,000 routes take about 10 MiB.
  static let file = 64 << 20
  /// Bytes of all values of a file, after environment variables are filled in.
  static let text = 128 << 20
  /// Scalars, lists and mappings of a file; each takes 16 bytes.
  static let nodes = 8_000_000
  /// Lists and mappings within each other; the language needs less than a third of it.
  static let depth = 48
  /// Files of one configuration.
  static let files = 10_000
  /// Files that include each other in a row.
  static let inclusions = 16
  /// Bytes of a secret's file.
  static let secret = 64 << 10
  /// Mistakes that are kept; further ones are counted.
  static let diagnostics = 1_000
  /// Bytes of a word for which the nearest known one is sought.
  static let word = 64
  /// Known words among which the nearest is sought, and mistakes for which it is: each pair costs a microsecond.
  static let candidates = 2_000
  static let hints = 200
}
