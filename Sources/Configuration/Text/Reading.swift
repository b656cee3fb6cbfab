import Foreign

/// What reading a configuration needs at hand: where files and the environment come from, and where mistakes go.
public struct Reading: Sendable {
  public let files: ConfigurationFiles
  public let environment: Environment
  public var diagnostics = Diagnostics()
  /// Whether a file, or the rest of one, could not be read: what it defines is not known, and not missing either.
  public var isIncomplete = false

  public init(files: ConfigurationFiles, environment: Environment) {
    self.files = files
    self.environment = environment
  }

  /// The word that was probably meant; nil also once so many mistakes are known that a hint would only cost time.
  public func nearest(_ word: String, in candidates: some Sequence<String>) -> String? {
    diagnostics.errorCount < ConfigurationLimits.hints ? NearestWord.find(word, in: candidates) : nil
  }

  public mutating func error(
    _ message: String, at position: Position, expected: String? = nil, hint: String? = nil
  ) {
    diagnostics.add(
      Diagnostic(.error, at: position, message: message, expected: expected, hint: hint))
  }

  public mutating func note(_ message: String, at position: Position, expected: String? = nil) {
    diagnostics.note(message, at: position, expected: expected)
  }

  /// Takes back that variables are not set which stand anywhere in a node; their names, in order.
  public mutating func withdrawUnset(in node: Node) -> [String] {
    if node.isUnset { return diagnostics.withdrawUnset(at: node.position) }
    var names: [String] = []
    for child in node.elements { names += withdrawUnset(in: child) }
    for entry in node.entries { names += withdrawUnset(in: entry.value) }
    return names
  }

  public mutating func warning(_ message: String, at position: Position, expected: String? = nil) {
    diagnostics.add(Diagnostic(.warning, at: position, message: message, expected: expected))
  }
}

/// Where `${NAME}` comes from.
public struct Environment: Sendable {
  public let value: @Sendable (String) -> String?

  public init(_ value: @escaping @Sendable (String) -> String?) { self.value = value }
  public init(_ variables: [String: String]) { self.init { variables[$0] } }
}

/// Where the files come from: the disk, or a dictionary in tests.
public struct ConfigurationFiles: Sendable {
  public struct Unreadable: Error, Equatable {
    public var reason: String
    public init(reason: String) { self.reason = reason }
  }

  /// The whole file, unless it has more bytes than the limit.
  public let read: @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], Unreadable>
  /// The paths that a pattern with `*`, `?` or `[` stands for, sorted.
  public let matching: @Sendable (_ pattern: String) -> [String]

  public init(
    read: @escaping @Sendable (_ path: String, _ limit: Int) -> Result<[UInt8], Unreadable>,
    matching: @escaping @Sendable (_ pattern: String) -> [String]
  ) {
    self.read = read
    self.matching = matching
  }

  public static let disk = ConfigurationFiles(
    read: { path, limit in
      do throws(TextFiles.Failure) {
        return .success(try TextFiles.read(path, limit: limit))
      } catch {
        switch error {
        case .unreadable(let reason): return .failure(Unreadable(reason: reason))
        case .tooLarge: return .failure(Unreadable(reason: "it has more than \(ByteSize.text(limit))"))
        }
      }
    },
    matching: { TextFiles.matching($0) })
}
