import Kernel
import Runtime
import Telemetry

/// Replaces the running process by a new one, which takes over its listening sockets.
///
/// The new one starts as from the command line, with the file as it is then. Until it has said that it is ready this
/// one serves as before, and when it does not say so nothing has happened; afterwards this one drains.
public final class Upgrader {
  private let gateway: Gateway
  private let command: [String]
  private let tell: (UpgradeOutcome) -> Void
  private let ended: () -> Void
  private var waker: Waker?
  private var isAbandoned = false

  package private(set) var failed = 0
  package private(set) var succeeded = 0
  /// The last one; nil when there was none.
  package private(set) var last: UpgradeOutcome?

  /// How long a process that closed the pipe may take to end by itself: a second. What it says is then its status.
  private static let patience = 1_000_000_000

  /// - Parameters:
  ///   - command: the program and its arguments, as this process was started.
  ///   - isUpgraded: whether this process itself was started by an upgrade, which is counted.
  ///   - tell: told of every outcome, for the process's own log.
  ///   - ended: called when the gateway has drained in favour of its successor.
  public init(
    _ gateway: Gateway, command: [String], isUpgraded: Bool, tell: @escaping (UpgradeOutcome) -> Void,
    ended: @escaping () -> Void
  ) {
    self.gateway = gateway
    self.command = command
    self.tell = tell
    self.ended = ended
    succeeded = isUpgraded ? 1 : 0
  }

  /// Starts a successor and waits until it serves or has failed.
  ///
  /// - Parameter program: instead of the one at the path that this process was started by.
  public func upgrade(to program: String? = nil) async -> UpgradeOutcome {
    let program = program ?? command[0]
    guard gateway.state == .serving else {
      return finish(program, failure: "the gateway is \(gateway.state.rawValue)")
    }
    if gateway.isUpgrading { return finish(program, failure: "another upgrade is under way") }
    gateway.isUpgrading = true
    isAbandoned = false
    defer { gateway.isUpgrading = false }
    guard gateway.log?.setAside() ?? true else {
      return finish(program, failure: "the call log cannot be handed over: its disk does not move")
    }
    guard let entries = await gateway.duplicateListeners() else {
      return fail(program, [], "there is no file descriptor left")
    }
    do {
      let pipe = try Pipe()
      let process = try StartedProcess(
        [program] + command.dropFirst(),
        environment: Inheritance.environment + [Inheritance.describe(entries, pipe: pipe.writing.number)],
        inheriting: entries.map(\.socket) + [pipe.writing.number])
      let reading = pipe.takeReading()
      return await settle(program, process, entries, reading)
    } catch {
      return fail(program, entries, "\(program) cannot be started: \(error.message)")
    }
  }

  /// Ends an upgrade that is under way without a successor.
  public func abandon() {
    isAbandoned = true
    waker?.ring(.cut)
  }

  /// Waits for what the successor says.
  private func settle(
    _ program: String, _ process: StartedProcess, _ entries: [Inheritance.Entry], _ reading: consuming FileDescriptor
  ) async -> UpgradeOutcome {
    let waker = Waker(gateway.loop)
    self.waker = waker
    defer { self.waker = nil }
    let limit = gateway.snapshot.settings.drain.upgradeLimit
    let words = SuccessorWords(reading, on: gateway.loop, waker)
    let deadline = Clock.monotonic + limit
    var isLate = false
    while !words.isOver, words.claims == nil, !isAbandoned, !isLate {
      isLate = await waker.wait(until: deadline).contains(.deadline)
    }
    waker.cancelDeadline()
    words.stop()
    if isAbandoned || gateway.state != .serving {
      _ = process.end()
      return fail(program, entries, "the gateway stops")
    }
    guard let claims = words.claims else {
      let end = process.end(patience: isLate ? 0 : Self.patience)
      if isLate {
        return fail(program, entries, "process \(process.id) was not ready in \(limit / 1_000_000) ms, and was killed")
      }
      return fail(program, entries, words.text.isEmpty ? "it ended with \(end) before it was ready" : words.text)
    }
    close(entries)
    let outcome = finish(program, process: process.id)
    let kept = Set(entries.filter { claims.contains($0.socket) }.map(\.name))
    gateway.handOver(leaving: kept, ended)
    return outcome
  }

  private func fail(_ program: String, _ entries: [Inheritance.Entry], _ why: String) -> UpgradeOutcome {
    close(entries)
    gateway.log?.resume()
    return finish(program, failure: why)
  }

  private func close(_ entries: [Inheritance.Entry]) {
    for entry in entries { _ = FileDescriptor(owning: entry.socket) }
  }

  private func finish(_ program: String, process: CInt? = nil, failure: String? = nil) -> UpgradeOutcome {
    if failure == nil { succeeded += 1 } else { failed += 1 }
    let outcome = UpgradeOutcome(program: program, time: Clock.wall, process: process, failure: failure)
    last = outcome
    tell(outcome)
    return outcome
  }
}

/// How an upgrade ended.
public struct UpgradeOutcome: Sendable {
  public let program: String
  /// Nanoseconds since 1970.
  public let time: Int
  /// The successor, which serves; nil when there is none.
  public let process: CInt?
  /// Why this process goes on; nil when it drains.
  public let failure: String?

  public var succeeded: Bool { failure == nil }

  /// For people; ends in a line break.
  public var text: String {
    let own = ProcessSignal.ownProcess
    guard let failure else { return "upgrade done: process \(process ?? 0) serves, process \(own) drains\n" }
    // Mistakes of a file are several lines.
    let why = failure.hasSuffix("\n") ? "\n\(failure)" : " \(failure)\n"
    return "upgrade failed:\(why)process \(own) goes on\n"
  }
}

/// What a successor says on its pipe, as far as it has come.
private final class SuccessorWords: EventSource {
  private let descriptor: FileDescriptor
  private let loop: Loop
  private let waker: Waker
  private(set) var text = ""
  /// It closed its end.
  private(set) var isOver = false
  private var isWatched = false

  private static let longest = 64 << 10

  init(_ descriptor: consuming FileDescriptor, on loop: Loop, _ waker: Waker) {
    self.descriptor = descriptor
    self.loop = loop
    self.waker = waker
    super.init()
    do {
      try loop.watchLevel(self.descriptor.number, self)
      isWatched = true
    } catch { isOver = true }
  }

  /// The sockets that it serves on; nil while it is not ready.
  var claims: Set<CInt>? { Inheritance.claims(in: text) }

  override func ready(_ readiness: Readiness) {
    let bytes = descriptor.read(atMost: 4_096)
    isOver = bytes.isEmpty || text.utf8.count > Self.longest
    text += String(decoding: bytes, as: UTF8.self)
    if isOver { stop() }
    waker.ring(.socket)
  }

  func stop() {
    if isWatched { loop.unwatch(descriptor.number, self) }
    isWatched = false
  }
}

extension Gateway {
  /// Every listening socket once more, for a successor; nil when there are no descriptors left.
  func duplicateListeners() async -> [Inheritance.Entry]? {
    var found = await gather { $0.duplicateListeners() }
    if let control { found.append(control.duplicateListeners()) }
    let known = Dictionary(
      snapshot.settings.listeners.map { ($0.name, $0.address) }, uniquingKeysWith: { first, _ in first })
    let isAdmin = { (index: Int) in index == self.workers.count }
    var entries: [Inheritance.Entry] = []
    for (index, sockets) in found.enumerated() {
      for (name, socket) in sockets ?? [] {
        let address = isAdmin(index) ? adminSetting : known[name]
        entries.append(Inheritance.Entry(socket: socket, name: name, address: address?.text ?? ""))
      }
    }
    if found.contains(where: { $0 == nil }) {
      for entry in entries { _ = FileDescriptor(owning: entry.socket) }
      return nil
    }
    return entries
  }
}
