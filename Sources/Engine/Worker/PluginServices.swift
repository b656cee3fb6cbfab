import Kernel
import PluginKit
import Runtime

/// What a worker offers to the plugins of one snapshot: their tasks end with it.
final class PluginServices: WorkerServices {
  private unowned let worker: Worker
  private let loop: Loop
  private var tasks: [Int: Task<Void, Never>] = [:]
  private var lastTask = 0

  let consumers: ConsumerDirectory

  init(_ worker: Worker, _ consumers: ConsumerDirectory) {
    self.worker = worker
    self.consumers = consumers
    loop = worker.loop
  }

  var now: Int { loop.now }
  var client: any HTTPClient { worker.client }

  func store(_ name: String) -> (any SharedStore)? { worker.store(name) }

  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter {
    worker.metrics.counter(metric, labels)
  }

  func after(_ nanoseconds: Int, _ action: @escaping () -> Void) {
    Timer(loop, action).arm(after: nanoseconds)
  }

  func start(_ body: @escaping () async -> Void) {
    lastTask += 1
    let number = lastTask
    let ended = { [weak self] in self?.tasks[number] = nil }
    tasks[number] = loop.start((body, ended)) { body, ended in
      await body()
      _ = ended()
    }
  }

  func sleep(_ nanoseconds: Int) async throws(CancellationError) {
    let loop = loop
    let waker = Waker(loop)
    let bound = LoopBound(waker, on: loop)
    await withTaskCancellationHandler {
      if !Task.isCancelled { _ = await waker.wait(until: loop.now + nanoseconds) }
    } onCancel: {
      loop.post { bound.here.ring(.cut) }
    }
    waker.cancelDeadline()
    if Task.isCancelled { throw CancellationError() }
  }

  func wait(_ nanoseconds: Int, _ register: (Bell) -> Bool) async {
    let loop = loop
    let waker = Waker(loop)
    let bound = LoopBound(waker, on: loop)
    let bell = Bell { loop.post { bound.here.ring(.cut) } }
    if register(bell) { _ = await waker.wait(until: loop.now + nanoseconds) }
    waker.cancelDeadline()
  }

  /// Nobody needs the plugins any more.
  func cancel() { for task in tasks.values { task.cancel() } }
}
