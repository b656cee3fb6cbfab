import HTTP
public import PluginKit

/// Sets, adds and removes fields of requests on their way to the upstream, and of responses on their way back.
///
/// What it does to a head never depends on the head, so all of it is rendered when the instance is made: a request
/// costs one pass over its fields and one copy of the new lines.
public final class Headers: Plugin {
  private let request: FieldEdits
  private let response: FieldEdits

  public init(_ settings: Settings, _ services: any WorkerServices) {
    request = FieldEdits(settings.request)
    response = FieldEdits(settings.response)
  }
}

extension Headers: RequestHeadHook {
  public func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    exchange.request.removeHeaders(request.removed)
    exchange.request.addHeaders(request.lines)
    return .proceed
  }
}

extension Headers: ResponseHeadHook {
  public func onResponseHead(_ exchange: inout Exchange) {
    exchange.response.removeHeaders(response.removed)
    exchange.response.addHeaders(response.lines)
  }
}

/// The edits of one direction, ready to be applied.
private struct FieldEdits {
  /// What `remove` names, and what `set` replaces.
  let removed: FieldNameSet
  /// What `set` and `add` write.
  let lines: RenderedFields

  init(_ edits: Headers.Edits) {
    removed = FieldNameSet(edits.remove + edits.set.map(\.0))
    var lines = RenderedFields()
    for (name, value) in edits.set { lines.append(name, value) }
    for (name, values) in edits.add {
      for value in values { lines.append(name, value) }
    }
    self.lines = lines
  }
}
