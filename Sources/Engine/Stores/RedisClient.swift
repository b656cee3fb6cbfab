import Configuration
import HTTP
import Kernel
import PluginKit
import Runtime

/// One worker's connection to a store of Redis or Valkey.
///
/// All calls of the worker go over it, one behind the other without waiting for answers, which come in the same order. A
/// call that is not answered in its time breaks the connection, since answers behind it are late too: whoever waits is
/// told at once, and further calls are refused at once until a new connection has answered. It is made by itself, with
/// growing pauses.
final class RedisClient: StoreClient, WakerOwner {
  let settings: StoreSettings
  private let targets: () -> [Target]
  private unowned let worker: Worker
  private let waker: Waker
  private lazy var pause = Timer(worker.loop) { [weak self] in self?.connect() }
  private var socket: Transport?
  private var input = IOBuffer()
  private var output = ByteBuffer(capacity: 1024)
  private var outputSent = 0
  /// Answers to the greeting that are still to come; nil before it was sent.
  private var greetings: Int?
  /// Calls without an answer, the oldest first.
  private var calls: [StoreCall] = []
  private var firstCall = 0
  /// When the connect at hand must have got as far as an answer to the greeting.
  private var connectDeadline = Int.max
  /// Connects that failed in a row.
  private var failures = 0
  private var isRetired = false

  private static let connectTime = 1_000_000_000
  private static let shortestPause = 50_000_000
  private static let longestPause = 5_000_000_000

  /// - Parameter targets: where the server is at the moment.
  init(_ settings: StoreSettings, on worker: Worker, targets: @escaping () -> [Target]) {
    self.settings = settings
    self.targets = targets
    self.worker = worker
    waker = Waker(worker.loop)
    waker.parkedOwner = self
    waker.isParked = true
    connect()
  }

  var fallsBackToLocal: Bool { settings.unavailable == .local }

  var isReady: Bool { greetings == 0 }
  private var waiting: Int { calls.count - firstCall }

  // MARK: Calls

  func run(_ script: StoreScript, key: [UInt8], _ arguments: [Int]) async throws(StoreError) -> [Int] {
    try await run(script, key, .numbers(arguments)) { reply throws(StoreError) in try reply.numbers }
  }

  func run(_ script: StoreScript, key: [UInt8], values: [[UInt8]]) async throws(StoreError) -> [[UInt8]?] {
    try await run(script, key, .values(values)) { reply throws(StoreError) in try reply.values }
  }

  private func run<Answer>(
    _ script: StoreScript, _ key: [UInt8], _ arguments: StoreArguments,
    _ read: (RESPValue) throws(StoreError) -> Answer
  ) async throws(StoreError) -> Answer {
    do throws(StoreError) {
      var reply = try await call(script, byDigest: true, key, arguments)
      // A store that has not seen the script, or forgot it, gets its text, and knows it from then on.
      if case .error(let text) = reply, text.hasPrefix("NOSCRIPT") {
        reply = try await call(script, byDigest: false, key, arguments)
      }
      let answer = try read(reply)
      worker.metrics.storeAnswered(settings.name, "ok")
      return answer
    } catch {
      worker.metrics.storeAnswered(settings.name, error.rawValue)
      throw error
    }
  }

  /// - Parameter asks: tells a node of a cluster that the call is its, though the key is not yet.
  func call(
    _ script: StoreScript, byDigest: Bool, _ key: [UInt8], _ arguments: StoreArguments, asks: Bool = false
  ) async throws(StoreError) -> RESPValue {
    // While nothing is known against it, calls may wait for the first connection.
    guard isReady || (failures == 0 && socket != nil) else { throw .away }
    guard waiting < settings.queue else { throw .full }
    let deadline = worker.loop.now + settings.timeout
    if asks {
      RESPEncoder.begin(1, into: &output)
      RESPEncoder.append("ASKING", into: &output)
      // Nobody waits for what it says.
      calls.append(StoreCall(worker.loop, deadline: deadline))
    }
    RESPEncoder.begin(4 + arguments.count, into: &output)
    RESPEncoder.append(byDigest ? "EVALSHA" : "EVAL", into: &output)
    RESPEncoder.append(byDigest ? script.digest : script.text, into: &output)
    RESPEncoder.append("1", into: &output)
    RESPEncoder.append(key.span, into: &output)
    arguments.append(to: &output)
    let call = StoreCall(worker.loop, deadline: deadline)
    calls.append(call)
    flush()
    armDeadline()
    while call.outcome == nil { _ = await call.waker.wait(until: .max) }
    return try call.outcome!.get()
  }

  // MARK: The connection

  private func connect() {
    guard socket == nil, !isRetired else { return }
    let targets = targets()
    guard !targets.isEmpty, let socket = try? targets[failures % targets.count].connect(on: worker.loop) else {
      return broke(.away)
    }
    self.socket = socket
    socket.waker = waker
    connectDeadline = worker.loop.now + Self.connectTime
    greetings = nil
    armDeadline()
    advance()
  }

  /// Says who calls and which database is meant; what answers to it is a store that works.
  private func greet() {
    var commands: [[String]] = []
    if let password = settings.password {
      commands.append(["AUTH"] + (settings.username.map { [$0] } ?? []) + [password.reveal()])
    }
    if settings.url.database > 0 { commands.append(["SELECT", "\(settings.url.database)"]) }
    commands.append(["PING"])
    var greeting = ByteBuffer(capacity: 128)
    for command in commands {
      RESPEncoder.begin(command.count, into: &greeting)
      for word in command { RESPEncoder.append(word, into: &greeting) }
    }
    // Calls that were made meanwhile stand behind it.
    greeting.append(output.span)
    output = greeting
    greetings = commands.count
  }

  func wokenWhileParked(_ signals: Signals) {
    advance()
    let now = worker.loop.now
    if !isReady, now >= connectDeadline { return broke(.timeout) }
    if waiting > 0, now >= calls[firstCall].deadline { return broke(.timeout) }
    armDeadline()
  }

  private func advance() {
    guard let socket else { return }
    if greetings == nil {
      if socket.isPeerClosed { return broke(.away) }
      guard socket.isWritable else { return }
      greet()
    }
    flush()
    receive()
  }

  private func flush() {
    guard let socket, greetings != nil else { return }
    while outputSent < output.count, socket.isWritable {
      let result = socket.send(output.span.extracting(outputSent..<output.count))
      if result.wouldBlock { return }
      if result.isError { return broke(.away) }
      outputSent += result.count
    }
    guard outputSent == output.count, outputSent > 0 else { return }
    output.removeAll()
    outputSent = 0
  }

  private func receive() {
    while let socket, socket.isReadable {
      input.lease(from: worker.smallBuffers)
      if input.room == 0 { input.compact() }
      if input.room == 0 { growInput() }
      let result = socket.receive(into: &input)
      if result.wouldBlock { break }
      if result.isEnd || result.isError { return broke(.away) }
      do throws(RESPError) {
        while let (value, length) = try Self.decode(input) {
          input.consume(length)
          guard take(value) else { return broke(.refused) }
        }
      } catch { return broke(.refused) }
    }
    if input.isEmpty { input.return(to: worker.smallBuffers) }
  }

  /// A value that is longer than most replies gets a larger block, which goes when it is empty.
  private func growInput() {
    var larger = IOBuffer()
    larger.lease(from: worker.largeBuffers)
    _ = larger.append(input.readable)
    input.return(to: worker.smallBuffers)
    input = larger
  }

  private static func decode(_ input: borrowing IOBuffer) throws(RESPError) -> (RESPValue, Int)? {
    try RESPDecoder.decode(input.readable).map { ($0.value, $0.length) }
  }

  /// Hands an answer to whom it is for; false when nobody asked, or the greeting was refused.
  private func take(_ value: RESPValue) -> Bool {
    if let count = greetings, count > 0 {
      if case .error = value { return false }
      greetings = count - 1
      if count == 1 { failures = 0 }
      return true
    }
    guard waiting > 0 else { return false }
    let call = calls[firstCall]
    firstCall += 1
    if firstCall == calls.count {
      calls.removeAll(keepingCapacity: true)
      firstCall = 0
    } else if firstCall > 256 {
      calls.removeFirst(firstCall)
      firstCall = 0
    }
    call.end(.success(value))
    return true
  }

  /// The connection is of no more use: whoever waits is told, and the next one is made after a pause.
  private func broke(_ error: StoreError) {
    if failures == 0, !isRetired { worker.shared.emit(.storeAway(settings.name, why: error.rawValue)) }
    failures += 1
    socket?.close()
    socket = nil
    greetings = nil
    connectDeadline = .max
    input.return(to: worker.smallBuffers)
    output.removeAll()
    outputSent = 0
    waker.cancelDeadline()
    let abandoned = calls[firstCall...]
    calls = []
    firstCall = 0
    for call in abandoned { call.end(.failure(error)) }
    guard !isRetired else { return }
    let pause = min(Self.longestPause, Self.shortestPause << min(failures - 1, 10))
    self.pause.arm(after: pause - Int.random(in: 0...pause / 4, using: &worker.random))
  }

  private func armDeadline() {
    let call = waiting > 0 ? calls[firstCall].deadline : .max
    waker.arm(at: min(call, isReady ? .max : connectDeadline))
  }

  /// The configuration has no such store any more.
  func retire() {
    isRetired = true
    pause.cancel()
    broke(.away)
    waker.parkedOwner = nil
  }
}

/// A call that waits for its answer.
private final class StoreCall {
  let waker: Waker
  let deadline: Int
  private(set) var outcome: Result<RESPValue, StoreError>?

  init(_ loop: Loop, deadline: Int) {
    waker = Waker(loop)
    self.deadline = deadline
  }

  func end(_ outcome: Result<RESPValue, StoreError>) {
    self.outcome = outcome
    waker.ring(.message)
  }
}
