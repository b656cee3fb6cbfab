import HTTP
import Kernel
import PluginKit

/// What the `version` of a route does: the fields of its answers, and the refusal of calls that come too late.
enum VersionHooks {
  static func make(_ settings: VersionSettings) -> [AnyObject] {
    var hooks: [AnyObject] = []
    if let sunset = settings.sunset, settings.afterSunset == .gone { hooks.append(SunsetGate(sunset)) }
    let fields = VersionFields(settings)
    if !fields.isEmpty { hooks.append(fields) }
    return hooks
  }
}

/// Tells clients with every answer that a version is deprecated (RFC 9745), when it goes away (RFC 8594), and what comes
/// after it (`successor-version` of RFC 5829).
final class VersionFields: ResponseHeadHook {
  private var lines = RenderedFields()
  /// What an upstream says of itself is replaced: the operator knows.
  private let removed: FieldNameSet

  init(_ settings: VersionSettings) {
    var names: [String] = []
    if let deprecated = settings.deprecated {
      lines.append("Deprecation", "@\(deprecated)")
      names.append("Deprecation")
    }
    if let sunset = settings.sunset {
      var date = HTTPDate()
      var text = ByteBuffer(capacity: 32)
      date.append(sunset, into: &text)
      lines.append("Sunset", String(text.span))
      names.append("Sunset")
    }
    if let successor = settings.successor { lines.append("Link", "<\(successor)>; rel=\"successor-version\"") }
    removed = FieldNameSet(names)
  }

  var isEmpty: Bool { lines.isEmpty }

  func onResponseHead(_ exchange: inout Exchange) {
    if !removed.isEmpty { exchange.response.removeHeaders(removed) }
    exchange.response.addHeaders(lines)
  }
}

/// Refuses calls of a version that is gone.
final class SunsetGate: RequestHeadHook {
  /// Nanoseconds since 1970.
  private let sunset: Int

  init(_ sunset: Int) { self.sunset = sunset * 1_000_000_000 }

  func onRequestHead(_ exchange: inout Exchange) -> Verdict {
    exchange.began < sunset ? .proceed : .fail(.versionGone)
  }
}
