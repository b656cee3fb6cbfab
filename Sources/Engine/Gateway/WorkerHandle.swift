import Kernel
import Runtime
import Telemetry

/// A worker as the control thread sees it: a thread, its loop, and messages to the worker that lives there.
final class WorkerHandle {
  let index: Int
  let loop: Loop
  private let thread: Thread
  private let worker: LoopBound<Worker>

  private init(index: Int, loop: Loop, thread: Thread, worker: LoopBound<Worker>) {
    self.index = index
    self.loop = loop
    self.thread = thread
    self.worker = worker
  }

  static func start(
    index: Int, shared: SharedState, snapshot: Snapshot, log: CallLog?
  ) throws(StartError) -> WorkerHandle {
    do {
      let loop = try Loop()
      // Made here and used there: nothing touches it in between.
      let worker = LoopBound(
        Worker(index: index, loop: loop, shared: shared, snapshot: snapshot, log: log?.makeQueue()), on: loop)
      let thread = try Thread.start(name: "worker-\(index)") { loop.run() }
      return WorkerHandle(index: index, loop: loop, thread: thread, worker: worker)
    } catch {
      throw StartError(why: "worker \(index) cannot start: \(error)")
    }
  }

  /// Runs `body` with the worker on its own thread.
  func post(_ body: @escaping @Sendable (Worker) -> Void) {
    let worker = worker
    loop.post { body(worker.here) }
  }

  func listen(_ descriptor: consuming FileDescriptor, as identity: ListenerIdentity) {
    let number = descriptor.release()
    post { worker in
      do throws(SocketError) { try worker.listen(FileDescriptor(owning: number), as: identity) } catch {
        worker.shared.acceptFailed(error)
      }
    }
  }

  func retireListener(_ name: String) { post { $0.retireListener(name) } }
  func adopt(_ snapshot: Snapshot) { post { $0.adopt(snapshot) } }
  func refresh(_ upstream: Upstream) { post { $0.refresh(upstream) } }
  func announceDrain() { post { $0.announceDrain() } }
  func drain(leaving left: Set<String>) { post { $0.drain(leaving: left) } }
  func cut() { post { $0.cut() } }

  /// Ends the thread and waits for it.
  func stop() {
    post { $0.finish() }
    loop.stop()
    thread.join()
  }
}
