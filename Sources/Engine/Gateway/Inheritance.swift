import Kernel

/// What a process that was started by an upgrade has from the one before: every listening socket, and a pipe on which
/// it says that it is ready.
///
/// An environment variable lists them, a line each. The very same sockets are used on, because the kernel drops the
/// connections that wait in a socket's queue when it is closed, however many others listen on the port.
public final class Inheritance {
  /// The admin port's name among the listeners.
  static let admin = "admin"
  private static let variable = "SLUICE_UPGRADE"
  private static let readyWord = "ready"

  /// One socket; its number is owned.
  struct Entry: Sendable, Equatable {
    let socket: CInt
    let name: String
    /// As the configuration wrote it.
    let address: String
  }

  private var entries: [Entry]
  private var claimed: [CInt] = []
  private var pipe: FileDescriptor

  private init(entries: [Entry], pipe: consuming FileDescriptor) {
    self.entries = entries
    self.pipe = pipe
  }

  deinit { for entry in entries { _ = FileDescriptor(owning: entry.socket) } }

  /// Takes it over; nil when this process was started by no upgrade.
  ///
  /// To be called before anything is opened, so that the numbers mean what the variable says.
  public static func receive() throws(StartError) -> Inheritance? {
    guard let text = ProcessEnvironment.value(variable) else { return nil }
    guard let (pipe, entries) = read(text), let pipe = FileDescriptor(inherited: pipe) else {
      throw StartError(why: "\(variable) is set, and not by an upgrade: unset it")
    }
    for entry in entries where !SocketCalls.isListening(entry.socket) {
      throw StartError(why: "\(variable) names descriptor \(entry.socket), which is no listening socket: unset it")
    }
    // From now on it stays here: a later upgrade says anew what it hands on.
    for entry in entries { _ = FileDescriptor(inherited: entry.socket)?.release() }
    return Inheritance(entries: entries, pipe: pipe)
  }

  // MARK: Sockets

  /// Whether there is a socket for an address that nobody has claimed.
  ///
  /// With port 0 an address alone says nothing, so it is looked for by name when it is claimed, and bound when it is not there.
  func has(_ address: ListenAddress) -> Bool { entries.contains { $0.address == address.text } }

  /// Gives away all sockets of an address.
  func claim(_ address: ListenAddress, name: String) -> [CInt] {
    let isOurs = { (entry: Entry) in
      entry.address == address.text && (address.socketAddress?.port != 0 || entry.name == name)
    }
    let found = entries.filter(isOurs).map(\.socket)
    entries.removeAll(where: isOurs)
    claimed += found
    return found
  }

  // MARK: Saying how it went

  /// This process serves. What it did not claim is no longer listened on here.
  public func ready() {
    for entry in entries { _ = FileDescriptor(owning: entry.socket) }
    entries = []
    tell(([Self.readyWord] + claimed.map { "\($0)" }).joined(separator: " ") + "\n")
  }

  /// This process will not serve; `why` is for whoever asked for the upgrade.
  public func fail(_ why: String) { tell(why.isEmpty ? "it gave no reason\n" : why) }

  private func tell(_ text: String) {
    pipe.write(text)
    pipe = FileDescriptor(owning: -1)
  }

  // MARK: The two texts

  /// The variable for a successor.
  static func describe(_ entries: [Entry], pipe: CInt) -> String {
    "\(variable)=\(pipe)\n" + entries.map { "\($0.socket) \($0.name) \($0.address)" }.joined(separator: "\n")
  }

  /// The environment without the variable.
  static var environment: [String] { ProcessEnvironment.pairs.filter { !$0.hasPrefix(variable + "=") } }

  /// Which sockets a successor that is ready has claimed; nil when what it says is something else.
  static func claims(in text: String) -> Set<CInt>? {
    guard text.hasSuffix("\n") else { return nil }
    let words = text.dropLast().split(separator: " ")
    guard words.first == Substring(readyWord) else { return nil }
    let numbers = words.dropFirst().compactMap { CInt($0) }
    return numbers.count == words.count - 1 ? Set(numbers) : nil
  }

  static func read(_ text: String) -> (pipe: CInt, entries: [Entry])? {
    let lines = text.split(separator: "\n")
    guard let first = lines.first, let pipe = CInt(first) else { return nil }
    var entries: [Entry] = []
    for line in lines.dropFirst() {
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count == 3, let socket = CInt(words[0]) else { return nil }
      entries.append(Entry(socket: socket, name: String(words[1]), address: String(words[2])))
    }
    return (pipe, entries)
  }
}
