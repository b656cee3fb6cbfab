import CAres
import Glibc
import Kernel

/// Looks up hosts without blocking: `/etc/hosts` first, then DNS, both IPv4 and IPv6.
///
/// It is driven from outside and does nothing by itself. After each call of `start`, `process` or `processTimeouts`
/// take what has changed with `nextInterest` and `nextAnswer`, and be back within `timeout`. It belongs to one thread.
/// Memory is bounded by the look-ups under way; each ends with exactly one answer.
@safe
public final class Resolver {
  private let channel: ares_channel
  private let mailbox: Mailbox

  /// What C callbacks leave for the caller to take.
  fileprivate final class Mailbox {
    var interests: [ResolverInterest] = []
    var answers: [ResolverAnswer] = []
  }

  /// A look-up under way: what its callback needs.
  fileprivate final class Query {
    let host: String
    let mailbox: Mailbox

    init(_ host: String, _ mailbox: Mailbox) {
      self.host = host
      self.mailbox = mailbox
    }
  }

  // SAFETY: called once, before anything else of the library, and safe from any one thread.
  private static let libraryStatus: CInt = ares_library_init(ARES_LIB_INIT_ALL)

  /// - Parameters:
  ///   - servers: addresses with or without port (`127.0.0.1:5353`, `[::1]:53`); empty: those of `/etc/resolv.conf`.
  ///   - timeout: nanoseconds for the first try of a server; later ones are longer.
  ///   - tries: how often each server is asked.
  public init(servers: [String] = [], timeout: Int = 2_000_000_000, tries: Int = 3) throws(ResolverError) {
    guard Self.libraryStatus == ARES_SUCCESS else { throw Self.unavailable(Self.libraryStatus) }
    let mailbox = Mailbox()
    var options = unsafe ares_options()
    unsafe options.timeout = CInt(clamping: max(1, timeout / 1_000_000))
    unsafe options.tries = CInt(clamping: max(1, tries))
    unsafe options.sock_state_cb = socketChanged
    // SAFETY: the mailbox lives as long as this object, which destroys the channel first.
    unsafe options.sock_state_cb_data = Unmanaged.passUnretained(mailbox).toOpaque()
    var channel: ares_channel?
    let mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB
    let status = unsafe ares_init_options(&channel, &options, mask)
    guard status == ARES_SUCCESS, let made = unsafe channel else { throw Self.unavailable(status) }
    self.mailbox = mailbox
    unsafe self.channel = made
    for server in servers where !Self.isServer(server) { throw .badServer(server) }
    if !servers.isEmpty {
      // SAFETY: the library copies the text.
      let status = unsafe ares_set_servers_ports_csv(made, servers.joined(separator: ","))
      guard status == ARES_SUCCESS else { throw .badServer(servers.joined(separator: ",")) }
    }
  }

  // SAFETY: made in init. Look-ups under way call back from here, into a mailbox that is still alive.
  deinit { unsafe ares_destroy(channel) }

  /// Begins to look a host up. Literals and names in `/etc/hosts` are answered at once.
  public func start(_ host: String) {
    if let literal = IPAddress(host) {
      let addresses = ResolvedAddresses(addresses: [literal], ttl: nil)
      mailbox.answers.append(ResolverAnswer(host: host, result: .success(addresses)))
      return
    }
    if host.utf8.contains(0) || host.isEmpty {
      mailbox.answers.append(ResolverAnswer(host: host, result: .failure(.badName)))
      return
    }
    var hints = ares_addrinfo_hints()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
    // Sorting would open sockets to compare routes; the balancer chooses among addresses, not their order.
    hints.ai_flags = ARES_AI_NOSORT
    // SAFETY: retained here and released by the callback, which the library calls once for every look-up.
    let query = unsafe Unmanaged.passRetained(Query(host, mailbox)).toOpaque()
    unsafe ares_getaddrinfo(channel, host, nil, &hints, lookedUp, query)
  }

  /// Ends all look-ups with `cancelled`.
  public func cancel() {
    // SAFETY: the channel is alive as long as this object.
    unsafe ares_cancel(channel)
  }

  /// Says that a socket is ready.
  public func process(_ descriptor: CInt, isReadable: Bool, isWritable: Bool) {
    // SAFETY: the channel is alive; -1 stands for no descriptor, and those that it does not know it ignores.
    unsafe ares_process_fd(channel, isReadable ? descriptor : -1, isWritable ? descriptor : -1)
  }

  /// Looks for look-ups whose time is over.
  public func processTimeouts() { process(-1, isReadable: false, isWritable: false) }

  /// Nanoseconds until `processTimeouts` should be called; nil when nothing is under way.
  public var timeout: Int? {
    var time = timeval()
    // SAFETY: the result is nil or points to `time`, whose value is read after the call.
    guard unsafe ares_timeout(channel, nil, &time) != nil else { return nil }
    return time.tv_sec * 1_000_000_000 + time.tv_usec * 1000
  }

  /// The next change of what to wait for, oldest first; the last one said of a descriptor holds.
  public func nextInterest() -> ResolverInterest? {
    mailbox.interests.isEmpty ? nil : mailbox.interests.removeFirst()
  }

  /// The next look-up that has ended.
  public func nextAnswer() -> ResolverAnswer? {
    mailbox.answers.isEmpty ? nil : mailbox.answers.removeFirst()
  }

  private static func unavailable(_ status: CInt) -> ResolverError {
    // SAFETY: the library's texts live for ever.
    unsafe .unavailable(String(cString: ares_strerror(status)))
  }

  /// An address, bare or as `address:port` or `[address]:port`.
  private static func isServer(_ text: String) -> Bool {
    if IPAddress(text) != nil { return true }
    guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else { return false }
    guard let port = UInt16(text[text.utf8.index(after: colon)...]), port > 0 else { return false }
    var address = text[..<colon]
    guard address.utf8.first == UInt8(ascii: "[") else { return IPAddress(String(address))?.isV4 == true }
    guard address.utf8.last == UInt8(ascii: "]") else { return false }
    address = address.dropFirst().dropLast()
    return IPAddress(String(address))?.isV4 == false
  }
}

/// The library waits for something else on a socket.
@c private func socketChanged(_ context: UnsafeMutableRawPointer?, _ socket: CInt, _ read: CInt, _ write: CInt) {
  guard let context = unsafe context else { return }
  // SAFETY: the context is the mailbox, which outlives the channel.
  let mailbox = unsafe Unmanaged<Resolver.Mailbox>.fromOpaque(context).takeUnretainedValue()
  mailbox.interests.append(ResolverInterest(descriptor: socket, isReadable: read != 0, isWritable: write != 0))
}

/// A look-up has ended.
@c private func lookedUp(
  _ context: UnsafeMutableRawPointer?, _ status: CInt, _ timeouts: CInt, _ found: UnsafeMutablePointer<ares_addrinfo>?
) {
  guard let context = unsafe context else { return }
  // SAFETY: retained by `start` for this one call.
  let query = unsafe Unmanaged<Resolver.Query>.fromOpaque(context).takeRetainedValue()
  // SAFETY: a result is ours to free; it is nil unless the look-up succeeded, which the library's free allows.
  defer { if let found = unsafe found { unsafe ares_freeaddrinfo(found) } }
  guard status == ARES_SUCCESS else {
    query.mailbox.answers.append(ResolverAnswer(host: query.host, result: .failure(failure(status))))
    return
  }
  var addresses: [IPAddress] = []
  var ttl = CInt.max
  // SAFETY: a list that the library made and ended with nil.
  var next = unsafe found?.pointee.nodes
  while let node = unsafe next {
    if let address = unsafe ipAddress(node.pointee.ai_addr), !addresses.contains(address) { addresses.append(address) }
    ttl = min(ttl, unsafe node.pointee.ai_ttl)
    unsafe next = node.pointee.ai_next
  }
  query.mailbox.answers.append(
    ResolverAnswer(
      host: query.host,
      result: addresses.isEmpty
        ? .failure(.noAddress) : .success(ResolvedAddresses(addresses: addresses, ttl: max(0, Int(ttl))))))
}

private func ipAddress(_ pointer: UnsafeMutablePointer<sockaddr>?) -> IPAddress? {
  guard let pointer = unsafe pointer else { return nil }
  let raw = UnsafeRawPointer(pointer)
  // SAFETY: the family says which form it points to.
  switch unsafe Int32(pointer.pointee.sa_family) {
  case AF_INET:
    let form = unsafe raw.loadUnaligned(as: sockaddr_in.self)
    return IPAddress(v4: UInt32(bigEndian: form.sin_addr.s_addr))
  case AF_INET6:
    // The sixteen bytes stand behind family, port and flow, four words of two, two and four bytes.
    let high = unsafe raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    let low = unsafe raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    return IPAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
  default: return nil
  }
}

private func failure(_ status: CInt) -> ResolverFailure {
  switch status {
  case ARES_ENOTFOUND, ARES_ENONAME: .notFound
  case ARES_ENODATA: .noAddress
  case ARES_EBADNAME, ARES_EBADSTR, ARES_EBADQUERY: .badName
  case ARES_ETIMEOUT: .timeout
  case ARES_ESERVFAIL, ARES_ENOTIMP, ARES_EFORMERR, ARES_EREFUSED, ARES_ECONNREFUSED: .serversFailed
  case ARES_EBADRESP, ARES_EOF: .badAnswer
  case ARES_ECANCELLED, ARES_EDESTRUCTION: .cancelled
  case ARES_ENOMEM: .outOfMemory
  default: .failed
  }
}
