import Engine
import JSON
import PluginKit

/// Stored answers.
extension AdminHandler {
  /// Forgets answers, and says how many; what is to go must be said, so that a slip does not empty everything.
  func purgeAnswer(_ request: AdminRequest) -> AdminAnswer {
    let query = request.query
    let purge = AnswerPurge(
      route: query.first("route"), host: query.first("host"), path: query.first("path"), prefix: query.first("prefix"))
    let isNamed = purge.route != nil || purge.host != nil || purge.path != nil || purge.prefix != nil
    guard isNamed || query.first("all") == "true" else {
      return AdminAnswer(
        .badRequest("Say what to forget: ?path=, ?prefix=, ?host=, ?route=, or ?all=true"), id: request.id)
    }
    let count = gateway.snapshot.purge(purge)
    if request.wantsText { return AdminAnswer(text: "forgot \(count)\n") }
    var json = JSONWriter()
    json.object { $0.member("purged", count) }
    return AdminAnswer(json: json)
  }
}
