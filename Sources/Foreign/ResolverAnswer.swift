public import Kernel

/// What became of one look-up.
public struct ResolverAnswer: Sendable, Equatable {
  /// The host as it was asked for.
  public var host: String
  public var result: Result<ResolvedAddresses, ResolverFailure>

  public init(host: String, result: Result<ResolvedAddresses, ResolverFailure>) {
    self.host = host
    self.result = result
  }
}

/// The addresses of a host.
public struct ResolvedAddresses: Sendable, Equatable {
  /// IPv4 and IPv6, at least one, each once.
  public var addresses: [IPAddress]
  /// Seconds until the answer should be asked for again, the least of all records; 0 from `/etc/hosts`, which has
  /// none. Nil for a literal address, which never changes.
  public var ttl: Int?

  public init(addresses: [IPAddress], ttl: Int?) {
    self.addresses = addresses
    self.ttl = ttl
  }
}

/// Why a host has no addresses.
public enum ResolverFailure: String, Error, Sendable {
  case notFound = "not_found"
  /// The name is there and has neither A nor AAAA records.
  case noAddress = "no_address"
  case badName = "bad_name"
  case timeout
  /// Every server was tried, and none could be reached or each failed or refused.
  case serversFailed = "servers_failed"
  /// What came is no DNS answer.
  case badAnswer = "bad_answer"
  case cancelled
  case outOfMemory = "out_of_memory"
  case failed

  /// One sentence for people.
  public var message: String {
    switch self {
    case .notFound: "the name does not exist"
    case .noAddress: "the name has no address"
    case .badName: "this is no host name"
    case .timeout: "no DNS server answered in time"
    case .serversFailed: "every DNS server failed, refused or could not be reached"
    case .badAnswer: "the DNS server's answer could not be read"
    case .cancelled: "the look-up was cancelled"
    case .outOfMemory: "there was not enough memory"
    case .failed: "the look-up failed"
    }
  }
}

/// Why a resolver cannot be made.
public enum ResolverError: Error, Equatable, CustomStringConvertible {
  case badServer(String)
  case unavailable(String)

  public var description: String {
    switch self {
    case .badServer(let text): "'\(text)' is no DNS server: write an address, with a port if it is not 53"
    case .unavailable(let text): "names cannot be resolved: \(text)"
    }
  }
}

/// What a resolver waits for on one of its sockets. It has closed the socket, or soon will, when it waits for neither.
public struct ResolverInterest: Sendable, Equatable {
  public var descriptor: CInt
  public var isReadable: Bool
  public var isWritable: Bool
}
