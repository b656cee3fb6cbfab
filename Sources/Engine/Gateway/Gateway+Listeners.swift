import Kernel

/// Addresses: found free, bound, and handed to the workers.
extension Gateway {
  /// Whether every address of the settings can be had; asked before anything of another process is touched.
  ///
  /// - Parameter inheritance: what is there is had already.
  public static func checkAddresses(
    of settings: GatewaySettings, _ inheritance: Inheritance? = nil
  ) throws(StartError) {
    let wanted =
      settings.listeners.map { (name: $0.name, address: $0.address) }
      + (settings.admin.map { [(name: Inheritance.admin, address: $0.address)] } ?? [])
    for (name, address) in wanted where !(inheritance?.has(address) ?? false) { try checkFree(address, name: name) }
  }

  /// Asks for an address without `SO_REUSEPORT`, so that whoever has it already is found out.
  private static func checkFree(_ address: ListenAddress, name: String) throws(StartError) {
    guard let socket = address.socketAddress else {
      throw StartError(listener: name, address: address, why: "it is no address")
    }
    if case .unix(let path) = socket { return try checkFree(unix: path, socket, address, name: name) }
    if socket.port == 0 { return }
    do { _ = try SocketCalls.listen(on: socket, shared: false, backlog: 1) } catch {
      throw StartError(listener: name, address: address, error)
    }
  }

  /// Removes a socket that a process which is gone left behind, and nothing else.
  private static func checkFree(
    unix path: String, _ socket: SocketAddress, _ address: ListenAddress, name: String
  ) throws(StartError) {
    guard let status = try? FileSystem.status(of: path) else { return }
    if !status.isSocket {
      throw StartError(
        listener: name, address: address, why: "a file that is no socket lies there: remove it or choose another path")
    }
    if SocketCalls.isTaken(socket) { throw StartError(listener: name, address: address, why: StartError.taken) }
    try? FileSystem.remove(path)
  }

  /// Opens a listener: a socket for every worker, among which the kernel spreads connections.
  ///
  /// All sockets that were inherited for it are used, also those beyond the number of workers: each has a queue.
  func open(
    _ listener: ListenerSettings, of snapshot: Snapshot, _ inheritance: Inheritance? = nil
  ) throws(StartError) -> OpenListener {
    var opened = OpenListener(
      address: listener.address,
      identity: ListenerIdentity(
        index: snapshot.listenerIndices[listener.name] ?? 0, name: listener.name,
        speaksHTTP2: listener.speaksHTTP2, speaksHTTP1: listener.speaksHTTP1))
    guard var address = listener.address.socketAddress else { return opened }
    opened.sockets = inheritance?.claim(listener.address, name: listener.name) ?? []
    if let first = opened.sockets.first { address = address.bound(as: first) }
    // A Unix socket has no SO_REUSEPORT: the first worker listens, and hands nothing on.
    var count = workers.count
    if case .unix = address { count = 1 }
    do {
      while opened.sockets.count < count {
        let socket = try SocketCalls.listen(on: address, shared: true)
        // Port 0 lets the kernel choose, once for all workers.
        address = address.bound(as: socket.number)
        opened.sockets.append(socket.release())
      }
      opened.address = listener.address.chosen(by: address)
      return opened
    } catch {
      opened.close()
      throw StartError(listener: listener.name, address: listener.address, error)
    }
  }

  /// Lets the workers accept from it.
  func serve(_ listener: OpenListener) {
    addresses[listener.identity.name] = listener.address
    for (index, socket) in listener.sockets.enumerated() {
      workers[index % workers.count].listen(FileDescriptor(owning: socket), as: listener.identity)
    }
  }

  /// Opens the listeners that the running configuration does not have; all of them or none.
  func openNew(of next: Snapshot) throws(StartError) -> [OpenListener] {
    let old = snapshot.settings.listeners
    var opened: [OpenListener] = []
    do throws(StartError) {
      for listener in next.settings.listeners where !old.contains(where: { $0.isSame(as: listener) }) {
        if !old.contains(where: { $0.address == listener.address }) {
          try Self.checkFree(listener.address, name: listener.name)
        } else if case .unix(let path) = listener.address {
          // Ours, under another name: the path must be free to be bound again.
          try? FileSystem.remove(path)
        }
        opened.append(try open(listener, of: next))
      }
      return opened
    } catch {
      for listener in opened { listener.close() }
      throw error
    }
  }
}

/// A listener whose sockets are bound and that nobody accepts from yet.
struct OpenListener {
  /// With the port that the kernel chose.
  var address: ListenAddress
  let identity: ListenerIdentity
  /// Owned; one for each worker that is to listen, or more.
  var sockets: [CInt] = []

  /// Gives it up before anybody listens.
  func close() {
    for socket in sockets { _ = FileDescriptor(owning: socket) }
  }
}

extension SocketAddress {
  /// With the port that a socket of this address was given.
  func bound(as socket: CInt) -> SocketAddress {
    guard case .ip(let ip, port: 0) = self, let port = SocketCalls.localAddress(of: socket)?.port else { return self }
    return .ip(ip, port: port)
  }
}

extension ListenAddress {
  /// With the port of the address that was bound.
  func chosen(by bound: SocketAddress) -> ListenAddress {
    guard case .ip(let host, port: 0) = self, let port = bound.port else { return self }
    return .ip(host: host, port: Int(port))
  }
}

extension ListenerSettings {
  /// Whether nothing but its place in the file differs.
  func isSame(as other: ListenerSettings) -> Bool {
    name == other.name && address == other.address && protocols == other.protocols
  }
}
