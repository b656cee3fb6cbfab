import Engine
import JSON

/// Replacing the process.
extension AdminHandler {
  /// 200 when a successor serves, 409 when there is none and this process goes on.
  func upgradeAnswer(_ request: AdminRequest) async -> AdminAnswer {
    var program: String?
    if let wanted = request.query.first("binary") {
      // Whoever reads a token may not choose programs for the gateway's user; whoever may write to its socket may.
      guard case .unix = gateway.admin, wanted.hasPrefix("/") else {
        return AdminAnswer(
          .badRequest(
            "`binary` is an absolute path, and taken through a Unix socket only: let `admin` be one, or put the new "
              + "program in the place of the old one."), id: request.id)
      }
      program = wanted
    }
    return answer(await upgrader.upgrade(to: program), request)
  }

  /// How the last upgrade ended, as it was answered then.
  func lastUpgradeAnswer(_ request: AdminRequest) -> AdminAnswer {
    guard let last = upgrader.last else {
      if request.wantsText { return AdminAnswer(text: "no upgrade since the start\n") }
      var json = JSONWriter()
      json.null()
      return AdminAnswer(json: json)
    }
    var answer = answer(last, request)
    if !request.wantsText { answer.status = 200 }
    return answer
  }

  private func answer(_ outcome: UpgradeOutcome, _ request: AdminRequest) -> AdminAnswer {
    let status = outcome.succeeded ? 200 : 409
    if request.wantsText { return AdminAnswer(text: outcome.text, status: status) }
    var json = JSONWriter()
    json.object {
      $0.member("succeeded", outcome.succeeded)
      $0.member("time", time: outcome.time)
      $0.member("program", outcome.program)
      if let process = outcome.process { $0.member("pid", Int(process)) }
      if let failure = outcome.failure { $0.member("failure", failure) }
    }
    return AdminAnswer(json: json, status: status)
  }
}
