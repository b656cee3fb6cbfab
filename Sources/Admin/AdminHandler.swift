public import Engine
import JSON
import Kernel
public import PluginKit
import Telemetry

/// Answers on the admin port: health, metrics, and the API under `/api/v1`.
///
/// It lives on the control thread, where it may read the gateway's state as it is.
public final class AdminHandler: Handler {
  let gateway: Gateway
  let reloader: Reloader
  let upgrader: Upgrader
  let version: String

  public init(_ gateway: Gateway, _ reloader: Reloader, _ upgrader: Upgrader, version: String) {
    self.gateway = gateway
    self.upgrader = upgrader
    self.reloader = reloader
    self.version = version
  }

  public func handle(_ exchange: inout Exchange) async -> Verdict {
    let request = AdminRequest(exchange)
    let answer = await answer(to: request)
    answer.send(in: &exchange)
    return .respond
  }

  private func answer(to request: AdminRequest) async -> AdminAnswer {
    guard let endpoint = AdminEndpoint(rawValue: request.path) else { return AdminAnswer(.notFound, id: request.id) }
    let isPost = request.method == "POST" && endpoint.takesPost
    guard isPost || (request.isRead && endpoint.takesGet) else {
      return AdminAnswer(.methodNotAllowed(endpoint), id: request.id)
    }
    let access = AdminAccess(
      address: gateway.admin ?? .unix(path: ""), token: gateway.snapshot.settings.admin?.token)
    if let problem = access.refusal(of: isPost ? .write : endpoint.readAccess, request.claim) {
      return AdminAnswer(problem, id: request.id)
    }
    switch endpoint {
    case .reload where isPost: return reloadAnswer(reloader.reload(), request)
    case .upgrade where isPost: return await upgradeAnswer(request)
    case .rollback: return reloadAnswer(reloader.rollback(), request)
    case .purge: return purgeAnswer(request)
    case .metrics: return await metricsAnswer(request)
    case .upstreams: return await upstreamsAnswer()
    case .explain: return await explainAnswer(request)
    default: return readAnswer(endpoint, request)
    }
  }

  private func readAnswer(_ endpoint: AdminEndpoint, _ request: AdminRequest) -> AdminAnswer {
    switch endpoint {
    case .health: AdminAnswer(text: "ok\n")
    case .readiness: readinessAnswer()
    case .status: statusAnswer(request)
    case .configuration: configurationAnswer()
    case .difference: differenceAnswer(request)
    case .routes: routesAnswer(request)
    case .spend: spendAnswer(request)
    case .reload: lastReloadAnswer(request)
    case .upgrade: lastUpgradeAnswer(request)
    case .index, .metrics, .upstreams, .explain, .rollback, .purge: indexAnswer()
    }
  }

  private func indexAnswer() -> AdminAnswer {
    var text = "Sluice \(version)\n\n"
    for endpoint in AdminEndpoint.allCases {
      let path = endpoint.rawValue + String(repeating: " ", count: max(1, 20 - endpoint.rawValue.utf8.count))
      let methods = endpoint.methods + String(repeating: " ", count: max(1, 16 - endpoint.methods.utf8.count))
      text += "\(path)\(methods)\(endpoint.help)\n"
    }
    return AdminAnswer(text: text)
  }

  private func metricsAnswer(_ request: AdminRequest) async -> AdminAnswer {
    let own = MetricShard()
    own.record(gateway, reloader, upgrader, version: version)
    let snapshots = [own.snapshot()] + (await gateway.metricSnapshots())
    let format: MetricPage.Format = request.wantsOpenMetrics ? .openMetrics : .prometheus
    var page = ByteBuffer(capacity: 64 << 10)
    MetricPage.render(snapshots, format: format, into: &page)
    return AdminAnswer(page: page, contentType: format.contentType)
  }
}
