public import Foreign

/// Certificates that are trusted: where they lie, and what lay there when the configuration was read.
public struct AuthoritySettings: Sendable, Equatable {
  public var path: String
  public var authority: TLSAuthority

  public init(path: String, authority: TLSAuthority) {
    self.path = path
    self.authority = authority
  }

  public static func == (one: AuthoritySettings, other: AuthoritySettings) -> Bool {
    one.path == other.path && one.authority.all == other.authority.all
  }
}

extension ValueType where Value == AuthoritySettings {
  /// The path of a PEM file, whose certificates are read at once.
  public static var authority: ValueType {
    ValueType<String>.filePath.map(
      { path, node, reading in
        guard let pem = reading.pem(path, at: node.position) else { return nil }
        do throws(TLSIdentity.Mistake) { return AuthoritySettings(path: path, authority: try TLSAuthority(pem)) } catch
        {
          let why = if case .certificate(let why) = error { why } else { "it cannot be read" }
          reading.error(
            "\(Printable(path)) holds no authority: \(why)", at: node.position, expected: "a PEM file of certificates")
          return nil
        }
      }, back: \.path)
  }
}

extension Reading {
  /// The contents of a file; nil after saying why there are none.
  public mutating func pem(_ path: String, at position: Position) -> [UInt8]? {
    switch files.read(path, 1 << 20) {
    case .success(let bytes): return bytes
    case .failure(let failure):
      error(
        "cannot read \(Printable(path)): \(failure.reason)", at: position,
        expected: "a PEM file that the gateway's user may read")
      return nil
    }
  }
}
