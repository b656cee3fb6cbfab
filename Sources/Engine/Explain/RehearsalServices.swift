import Kernel
import PluginKit

/// What plugins find in the place of a worker when they judge a sample request: nothing of it reaches outside.
///
/// Counters count for nobody, and work of the plugins' own is not begun. Stores and other services give no answer, and
/// that they were wanted is noted: what a plugin then decides is not what it would with an answer.
final class RehearsalServices: WorkerServices {
  /// Whom a plugin wanted to ask.
  enum Question {
    case store(String)
    case upstream(String)

    var text: String {
      switch self {
      case .store(let name): "the store `\(name)`"
      case .upstream(let name): "the upstream `\(name)`"
      }
    }
  }

  let now = Clock.monotonic
  let consumers: ConsumerDirectory
  /// What was wanted since this was last cleared.
  var question: Question?
  private let stores: Set<String>

  init(_ consumers: ConsumerDirectory, stores: Set<String>) {
    self.consumers = consumers
    self.stores = stores
  }

  var client: any HTTPClient { SilentClient(self) }
  func store(_ name: String) -> (any SharedStore)? { stores.contains(name) ? SilentStore(name, self) : nil }
  func counter(_ metric: PluginMetric, _ labels: [String]) -> PluginCounter { PluginCounter() }
  func after(_ nanoseconds: Int, _ action: @escaping () -> Void) {}
  func start(_ body: @escaping () async -> Void) {}
  func sleep(_ nanoseconds: Int) async throws(CancellationError) { throw CancellationError() }
}

private final class SilentClient: HTTPClient {
  private let services: RehearsalServices

  init(_ services: RehearsalServices) { self.services = services }

  func send(_ request: ClientRequest) async throws(Fault) -> ClientResponse {
    services.question = .upstream(request.upstream)
    throw .noTarget
  }
}

private final class SilentStore: SharedStore {
  private let name: String
  private unowned let services: RehearsalServices
  let fallsBackToLocal = true

  init(_ name: String, _ services: RehearsalServices) {
    self.name = name
    self.services = services
  }

  func run(_ script: StoreScript, key: [UInt8], values: [[UInt8]]) async throws(StoreError) -> [[UInt8]?] {
    services.question = .store(name)
    throw .away
  }

  func run(_ script: StoreScript, key: [UInt8], _ arguments: [Int]) async throws(StoreError) -> [Int] {
    services.question = .store(name)
    throw .away
  }
}
