public import Foreign
public import Kernel

/// A resolver that a loop drives.
///
/// Its sockets are in an epoll list of its own, of which the loop watches one descriptor: so the same list can also be
/// waited on without the loop, before it runs.
public final class ResolverSource: EventSource {
  private let resolver: Resolver
  private let epoll: Epoll
  private unowned let loop: Loop
  private let answered: (ResolverAnswer) -> Void
  private lazy var timer = Timer(loop) { [weak self] in self?.expire() }
  private var watched: Set<CInt> = []
  private var isSettling = false

  /// - Parameter answered: told of the end of every look-up; it may start others.
  public init(
    _ resolver: Resolver, on loop: Loop, answered: @escaping (ResolverAnswer) -> Void
  ) throws(SocketError) {
    self.resolver = resolver
    self.loop = loop
    self.answered = answered
    epoll = try Epoll()
    super.init()
    try loop.watchLevel(epoll.number, self)
  }

  /// Begins to look a host up; what is known without asking is answered before it returns.
  public func start(_ host: String) {
    resolver.start(host)
    settle()
  }

  public override func ready(_ readiness: Readiness) { process(milliseconds: 0) }

  /// Serves answers on the calling thread, which waits for them, until `isDone` or the time is over.
  public func wait(atMost nanoseconds: Int, until isDone: () -> Bool) {
    let deadline = Clock.monotonic + nanoseconds
    while !isDone() {
      let left = deadline - Clock.monotonic
      if left <= 0 { return }
      let wait = min(left, resolver.timeout ?? left)
      process(milliseconds: CInt(clamping: (wait + 999_999) / 1_000_000))
    }
  }

  /// Gives up what is under way, without an answer.
  public func finish() {
    isSettling = true
    timer.cancel()
    loop.unwatch(epoll.number, self)
    resolver.cancel()
  }

  private func process(milliseconds: CInt) {
    let count = epoll.wait(milliseconds: milliseconds)
    for index in 0..<count {
      let (readiness, cookie) = epoll.event(index)
      resolver.process(
        CInt(truncatingIfNeeded: cookie), isReadable: readiness.allowsReading,
        isWritable: readiness.contains(.writable))
    }
    resolver.processTimeouts()
    settle()
  }

  private func expire() {
    resolver.processTimeouts()
    settle()
  }

  /// Takes what the resolver has to say: what to wait for, and answers.
  private func settle() {
    if isSettling { return }
    isSettling = true
    defer { isSettling = false }
    follow()
    while let answer = resolver.nextAnswer() {
      answered(answer)
      follow()
    }
    if let timeout = resolver.timeout { timer.arm(after: timeout) } else { timer.cancel() }
  }

  private func follow() {
    while let interest = resolver.nextInterest() {
      // A number that was closed has left the list, and may be another socket's by now.
      if watched.remove(interest.descriptor) != nil { epoll.remove(interest.descriptor) }
      var readiness: Readiness = []
      if interest.isReadable { readiness.insert(.readable) }
      if interest.isWritable { readiness.insert(.writable) }
      if readiness.isEmpty { continue }
      // A socket that cannot be watched is one that times out.
      try? epoll.add(interest.descriptor, for: readiness, cookie: UInt64(interest.descriptor))
      watched.insert(interest.descriptor)
    }
  }
}
