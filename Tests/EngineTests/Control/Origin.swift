import Glibc
import Kernel

/// A server on this machine that does with each connection what its script says, in a thread for each.
///
/// Plain blocking sockets, so that nothing of what is tested is used to test it.
final class Origin: Sendable {
  /// A client's connection, as scripts see it.
  struct Connection: Sendable {
    fileprivate let descriptor: CInt

    /// What the client sends next; empty once it has left.
    func receive() -> String {
      var bytes = [UInt8](repeating: 0, count: 65_536)
      // SAFETY: the array is as long as it says.
      let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Reads until a whole head is there.
    func receiveHead() -> String {
      var head = ""
      while !head.contains("\r\n\r\n") {
        let more = receive()
        if more.isEmpty { break }
        head += more
      }
      return head
    }

    func send(_ text: String) {
      let bytes = Array(text.utf8)
      // SAFETY: the array is as long as it says.
      _ = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
    }

    /// Closes so that the client sees a reset.
    func reset() {
      var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
      // SAFETY: the option takes this struct.
      unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }
  }

  let port: UInt16
  private let listener: CInt
  private let counts = Lock(Counts())

  struct Counts: Sendable {
    var accepted = 0
    var open = 0
  }

  /// - Parameters:
  ///   - port: 0 for any that is free.
  ///   - script: runs once for each connection, which is closed when it returns.
  init?(address: String = "127.0.0.1", port: UInt16 = 0, _ script: @escaping @Sendable (Connection) -> Void) {
    guard let listener = Self.listen(address, port) else { return nil }
    self.listener = listener.descriptor
    self.port = listener.port
    let counts = counts
    let descriptor = listener.descriptor
    _ = try? Thread.start(name: "origin") {
      while true {
        let accepted = accept(descriptor, nil, nil)
        if accepted < 0 { break }
        counts.withLock {
          $0.accepted += 1
          $0.open += 1
        }
        _ = try? Thread.start(name: "origin-call") {
          script(Connection(descriptor: accepted))
          counts.withLock { $0.open -= 1 }
          close(accepted)
        }
      }
      close(descriptor)
    }
  }

  var seen: Counts { counts.withLock { $0 } }

  /// Stops listening; connections that are open go on.
  func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

  /// A port that nobody listens on.
  static func freePort() -> UInt16 {
    guard let found = listen("127.0.0.1", 0) else { return 1 }
    close(found.descriptor)
    return found.port
  }

  private static func listen(_ address: String, _ port: UInt16) -> (descriptor: CInt, port: UInt16)? {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var one: CInt = 1
    var form = sockaddr_in()
    form.sin_family = sa_family_t(AF_INET)
    form.sin_port = port.bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // SAFETY: each call gets the struct that it wants with its size.
    unsafe inet_pton(AF_INET, address, &form.sin_addr)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
    let isListening = unsafe withUnsafeMutablePointer(to: &form) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { form in
        unsafe bind(descriptor, form, length) == 0 && Glibc.listen(descriptor, 1024) == 0
          && getsockname(descriptor, form, &length) == 0
      }
    }
    guard isListening else {
      close(descriptor)
      return nil
    }
    return (descriptor, UInt16(bigEndian: form.sin_port))
  }
}
