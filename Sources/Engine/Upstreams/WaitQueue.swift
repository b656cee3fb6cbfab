import Runtime

/// Calls that wait for a connection, in the order in which they came.
struct WaitQueue {
  /// A call's place in the queue.
  final class Ticket {
    fileprivate let waker: Waker
    /// False once it is the call's turn, or it gave up.
    fileprivate(set) var isQueued = true

    fileprivate init(_ waker: Waker) { self.waker = waker }
  }

  private var tickets: [Ticket] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ waker: Waker) -> Ticket {
    let ticket = Ticket(waker)
    tickets.append(ticket)
    count += 1
    return ticket
  }

  mutating func remove(_ ticket: Ticket) {
    guard ticket.isQueued else { return }
    ticket.isQueued = false
    count -= 1
    if count == 0 { clear() }
  }

  /// Lets the call that has waited longest try again.
  mutating func wakeFirst() {
    while head < tickets.count {
      let ticket = tickets[head]
      head += 1
      guard ticket.isQueued else { continue }
      remove(ticket)
      compact()
      return ticket.waker.ring(.message)
    }
  }

  private mutating func compact() {
    guard head > 64, head * 2 > tickets.count else { return }
    tickets.removeFirst(head)
    head = 0
  }

  private mutating func clear() {
    tickets.removeAll(keepingCapacity: true)
    head = 0
  }
}
