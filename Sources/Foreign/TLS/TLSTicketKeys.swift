import COpenSSL
public import Kernel

/// The keys that session tickets are sealed with (RFC 5077 §4): one for all workers and listeners of the process.
///
/// A new key is made every two hours, which is how long a ticket is good; the one before still opens tickets. Keys
/// never leave memory, so a stolen one opens what was sent in the last hours at most. Contexts scope their tickets by
/// themselves: one listener's ticket is of no use at another.
public final class TLSTicketKeys: Sendable {
  struct Key: Sendable {
    var name = [UInt8](repeating: 0, count: 16)
    var cipher = [UInt8](repeating: 0, count: 32)
    var mac = [UInt8](repeating: 0, count: 32)
    /// Monotonic nanoseconds.
    var made = 0
  }

  public static let period = 7_200_000_000_000
  private let now: @Sendable () -> Int
  private let keys = Lock<[Key]>([])

  /// - Parameter now: monotonic nanoseconds.
  public init(now: @escaping @Sendable () -> Int = { Clock.monotonic }) { self.now = now }

  /// The key that tickets are sealed with now; nil when no randomness is to be had.
  func current() -> Key? {
    let time = now()
    return keys.withLock { keys in
      if let first = keys.first, time - first.made < Self.period { return first }
      guard let key = Self.make(time) else { return nil }
      keys.insert(key, at: 0)
      if keys.count > 2 { keys.removeLast() }
      return key
    }
  }

  /// The key of this name, and whether it is the one that seals now; nil when it is gone.
  func find(_ name: [UInt8]) -> (key: Key, isCurrent: Bool)? {
    let time = now()
    return keys.withLock { keys in
      guard let index = keys.firstIndex(where: { $0.name == name }) else { return nil }
      let age = time - keys[index].made
      if age >= 2 * Self.period { return nil }
      return (keys[index], age < Self.period)
    }
  }

  private static func make(_ time: Int) -> Key? {
    var key = Key()
    key.made = time
    return fill(&key.name) && fill(&key.cipher) && fill(&key.mac) ? key : nil
  }

  private static func fill(_ bytes: inout [UInt8]) -> Bool {
    // SAFETY: the array's own memory, as long as it says.
    unsafe bytes.withUnsafeMutableBufferPointer { unsafe RAND_bytes($0.baseAddress, CInt($0.count)) == 1 }
  }
}

/// Seals a ticket, or finds the key that opens one: 1 done, 2 done and to be renewed, 0 no such key, -1 failed.
@c func ticketKey(
  _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ vector: UnsafeMutablePointer<UInt8>?,
  _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ sealing: CInt
) -> CInt {
  // SAFETY: the library passes 16 bytes for the name and for the vector, and contexts to be set up; the keys are
  // copied by what they are handed to.
  guard let name = unsafe name, let vector = unsafe vector,
    let keys = unsafe TLSServerContext.of(SSL_get_SSL_CTX(ssl))?.tickets
  else { return -1 }
  if sealing == 1 {
    guard let key = keys.current(), unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
    for index in 0..<16 { unsafe name[index] = key.name[index] }
    guard unsafe EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, vector) == 1 else { return -1 }
    return unsafe setMac(mac, key) ? 1 : -1
  }
  let wanted = unsafe [UInt8](UnsafeBufferPointer(start: name, count: 16))
  guard let (key, isCurrent) = keys.find(wanted) else { return 0 }
  guard unsafe EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nil, key.cipher, vector) == 1, unsafe setMac(mac, key)
  else { return -1 }
  // With TLS 1.3 a ticket is for one connection: whoever resumes gets the next one (RFC 8446 §C.4).
  return unsafe isCurrent && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2
}

private func setMac(_ mac: OpaquePointer?, _ key: TLSTicketKeys.Key) -> Bool {
  var bytes = key.mac
  // SAFETY: the library copies the key before the call returns.
  return unsafe bytes.withUnsafeMutableBufferPointer { unsafe co_ticket_mac(mac, $0.baseAddress, $0.count) == 1 }
}
