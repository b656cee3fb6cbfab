import Engine
import JSON
import Kernel
import PluginKit

/// What callers have used of token limits and budgets.
extension AdminHandler {
  func spendAnswer(_ request: AdminRequest) -> AdminAnswer {
    guard let limit = request.query.number("limit", default: 1000, in: 1...10_000) else {
      return AdminAnswer(.badRequest("`limit` is a whole number."), id: request.id)
    }
    let now = Clock.wall / 1_000_000_000
    var json = JSONWriter(capacity: 4 << 10)
    json.object {
      $0.array("limits") {
        for source in gateway.snapshot.spendSources {
          let report = source.spend(now: now)
          $0.object { write(report, limit, to: &$0) }
        }
      }
    }
    return AdminAnswer(json: json)
  }

  private func write(_ report: SpendReport, _ limit: Int, to json: inout JSONWriter) {
    json.member("plugin", report.kind)
    json.member("name", report.name)
    json.member("unit", report.unit)
    json.member("limit", report.limit)
    json.member("period_ends", time: report.end * 1_000_000_000)
    json.member("is_shared", report.isShared)
    json.member("keys", report.amounts.count)
    json.array("used") {
      for (key, used) in report.amounts.prefix(limit) {
        $0.object {
          $0.member("key", key)
          $0.member("used", used)
        }
      }
    }
  }
}
