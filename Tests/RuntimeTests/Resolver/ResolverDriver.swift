import Foreign
import Kernel
import Testing

/// Drives resolvers as an event loop would.
enum ResolverDriver {
  /// Runs a resolver until it has given so many answers.
  static func answers(_ count: Int, from resolver: Resolver, within seconds: Int = 20) throws -> [ResolverAnswer] {
    let epoll = try Epoll()
    var watched: Set<CInt> = []
    var answers: [ResolverAnswer] = []
    let deadline = Clock.monotonic + seconds * 1_000_000_000
    while Clock.monotonic < deadline {
      while let answer = resolver.nextAnswer() { answers.append(answer) }
      while let interest = resolver.nextInterest() {
        var readiness: Readiness = []
        if interest.isReadable { readiness.insert(.readable) }
        if interest.isWritable { readiness.insert(.writable) }
        if watched.remove(interest.descriptor) != nil { epoll.remove(interest.descriptor) }
        if !readiness.isEmpty {
          try epoll.add(interest.descriptor, for: readiness, cookie: UInt64(interest.descriptor))
          watched.insert(interest.descriptor)
        }
      }
      if answers.count >= count { return answers }
      let wait = resolver.timeout.map { $0 / 1_000_000 + 1 } ?? 100
      let events = epoll.wait(milliseconds: CInt(min(wait, 100)))
      for index in 0..<events {
        let event = epoll.event(index)
        let isReadable = !event.readiness.isDisjoint(with: [.readable, .error, .hangup])
        resolver.process(CInt(event.cookie), isReadable: isReadable, isWritable: event.readiness.contains(.writable))
      }
      if events == 0 { resolver.processTimeouts() }
    }
    return answers
  }

  static func look(_ host: String, with resolver: Resolver) throws -> Result<ResolvedAddresses, ResolverFailure>? {
    resolver.start(host)
    let answers = try answers(1, from: resolver)
    #expect(answers.map(\.host) == [host])
    return answers.first?.result
  }

  static func addresses(_ texts: String...) -> Set<IPAddress> { Set(texts.compactMap { IPAddress($0) }) }
}
