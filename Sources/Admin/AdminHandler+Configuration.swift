import Configuration
import Engine
import JSON
import Kernel

/// What runs, what the file would change, and the changes themselves.
extension AdminHandler {
  func configurationAnswer() -> AdminAnswer {
    let description = gateway.snapshot.settings.describe(plugins: reloader.source.declarations)
    var json = JSONWriter(capacity: 16 << 10)
    json.object {
      $0.member("file", reloader.source.file)
      $0.member("generation", gateway.snapshot.generation)
      $0.member("loaded", time: reloader.loadedAt)
      $0.key("settings")
      $0.value(description)
    }
    return AdminAnswer(json: json)
  }

  func differenceAnswer(_ request: AdminRequest) -> AdminAnswer {
    let (diagnostics, diff) = reloader.preview()
    let status = diff == nil ? 422 : 200
    if request.wantsText { return AdminAnswer(text: diff?.text ?? diagnostics.text, status: status) }
    var json = JSONWriter()
    json.object {
      $0.member("file", reloader.source.file)
      $0.array("diagnostics") { $0.elements(diagnostics) }
      if let diff { $0.array("changes") { $0.elements(diff, limit: .max) } }
    }
    return AdminAnswer(json: json, status: status)
  }

  /// 200 when the configuration was taken over; 422 when the file has mistakes, 409 when it could not be done.
  func reloadAnswer(_ outcome: ReloadOutcome, _ request: AdminRequest) -> AdminAnswer {
    let status = outcome.succeeded ? 200 : outcome.diagnostics.hasErrors ? 422 : 409
    if request.wantsText { return AdminAnswer(text: outcome.text, status: status) }
    var json = JSONWriter()
    json.value(outcome)
    return AdminAnswer(json: json, status: status)
  }

  /// How the last reload or rollback ended, as it was answered then.
  func lastReloadAnswer(_ request: AdminRequest) -> AdminAnswer {
    guard let last = reloader.last else {
      if request.wantsText { return AdminAnswer(text: "no reload since the start\n") }
      var json = JSONWriter()
      json.null()
      return AdminAnswer(json: json)
    }
    var answer = reloadAnswer(last, request)
    // The signal that asked for it got no answer, so a caller who fetches it wants the same status; others read it.
    if !request.wantsText { answer.status = 200 }
    return answer
  }

  /// What would become of a request under the running configuration.
  func explainAnswer(_ request: AdminRequest) async -> AdminAnswer {
    guard let url = request.query.first("url"), !url.isEmpty else {
      return AdminAnswer(.badRequest("Name the request: ?method=GET&url=/path"), id: request.id)
    }
    var headers: [(name: String, value: String)] = []
    for field in request.query.all("header") {
      guard let field = SampleRequest.field(field) else {
        return AdminAnswer(.badRequest("A header is `Name: value`."), id: request.id)
      }
      headers.append(field)
    }
    guard let client = IPAddress(request.query.first("from") ?? "127.0.0.1") else {
      return AdminAnswer(.badRequest("`from` is an address, such as 192.0.2.1."), id: request.id)
    }
    let sample = SampleRequest(
      request.query.first("method") ?? "GET", url, headers: headers, listener: request.query.first("listener"),
      client: client)
    do throws(ExplanationError) {
      let explanation = try await gateway.snapshot.explain(sample)
      if request.wantsText { return AdminAnswer(text: explanation.text) }
      var json = JSONWriter()
      explanation.write(to: &json)
      return AdminAnswer(json: json)
    } catch {
      return AdminAnswer(.badRequest("\(error)"), id: request.id)
    }
  }
}

extension JSONWriter {
  fileprivate mutating func value(_ outcome: ReloadOutcome) {
    object {
      $0.member("kind", outcome.kind.rawValue)
      $0.member("succeeded", outcome.succeeded)
      $0.member("number", outcome.number)
      $0.member("time", time: outcome.time)
      $0.member("file", outcome.file)
      $0.member("generation", outcome.generation)
      if let failure = outcome.failure { $0.member("failure", failure) }
      $0.array("diagnostics") { $0.elements(outcome.diagnostics) }
      if let changes = outcome.changes {
        $0.member("change_count", changes.changes.count)
        $0.array("changes") { $0.elements(changes, limit: 200) }
        $0.member("new_certificate_count", outcome.renewedCertificates)
      }
      $0.array("needs_restart") { for note in outcome.needsRestart { $0.value(note) } }
    }
  }
}
