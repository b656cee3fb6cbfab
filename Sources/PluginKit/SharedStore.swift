import HTTP
import Kernel

/// A script that a shared store runs as one step.
public struct StoreScript: Sendable {
  public let text: String
  /// What the store knows it by once it has run: the SHA-1 of the text, in hexadecimal.
  public let digest: String

  public init(_ text: String) {
    self.text = text
    digest = SHA1.hexadecimal(of: text)
  }
}

/// Why a shared store gave no answer.
public enum StoreError: String, Error, Sendable {
  /// It is not there: no connection, or it broke.
  case away
  case timeout
  /// Too many calls wait for it.
  case full
  /// It answered with an error, or with something else than was asked for.
  case refused
}

/// A store that several gateways share, of the configuration's section `stores`.
///
/// Calls never wait longer than the store's timeout, and not at all while it is known to be away.
public protocol SharedStore: AnyObject {
  /// Whether a plugin goes on by what it knows itself while the store is away; else it refuses.
  var fallsBackToLocal: Bool { get }

  /// Runs a script with one key and numbers, which answers with numbers.
  func run(_ script: StoreScript, key: [UInt8], _ arguments: [Int]) async throws(StoreError) -> [Int]

  /// Runs a script with one key and values, which answers with values: with a list, or with a single one. A value that is
  /// not there is nil.
  ///
  /// All of an answer has room in `StoreLimits.longestAnswer` bytes.
  func run(_ script: StoreScript, key: [UInt8], values: [[UInt8]]) async throws(StoreError) -> [[UInt8]?]
}

public enum StoreLimits {
  /// Bytes of an answer of a store. One that is longer breaks the connection.
  public static let longestAnswer = 60 << 10
}

extension Fault {
  public static let storeUnavailable = Fault(
    .gateway, 503, "store_unavailable", "The gateway cannot reach its shared store; try again later.", retryAfter: 1)
}
