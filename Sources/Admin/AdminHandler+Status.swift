import Engine
import JSON
import Kernel
import Telemetry

/// How the process is: readiness, and all that one wants to know first.
extension AdminHandler {
  /// 503 while it does not serve; it says nothing of upstreams but in its warnings, because taking a gateway out does
  /// not mend what is behind it.
  func readinessAnswer() -> AdminAnswer {
    let isReady = gateway.state == .serving
    var json = JSONWriter()
    json.object {
      $0.member("ready", isReady)
      $0.member("state", gateway.state.rawValue)
      $0.array("warnings") { for warning in warnings { $0.value(warning) } }
    }
    return AdminAnswer(json: json, status: isReady ? 200 : 503)
  }

  /// What an operator should look at, though requests are served.
  var warnings: [String] {
    var warnings: [String] = []
    if reloader.fileIsNewer { warnings.append("\(reloader.source.file) is not what runs: reload, or check it") }
    if let last = reloader.last, let failure = last.failure {
      warnings.append("the last \(last.kind.rawValue) failed: \(failure); \(AdminEndpoint.reload.rawValue) says why")
    }
    warnings += reloader.needsRestart
    for upstream in gateway.snapshot.upstreams {
      let targets = upstream.targets.targets
      let usable = targets.count { $0.health.isHealthy && $0.breaker?.state != .open }
      if targets.isEmpty {
        warnings.append("upstream \(upstream.settings.name) has no address")
      } else if usable < targets.count {
        warnings.append("upstream \(upstream.settings.name): \(targets.count - usable) of \(targets.count) targets out")
      }
    }
    return warnings
  }

  func statusAnswer(_ request: AdminRequest) -> AdminAnswer {
    if request.wantsText { return AdminAnswer(text: statusText) }
    let settings = gateway.snapshot.settings
    var json = JSONWriter()
    json.object {
      $0.member("version", version)
      $0.member("state", gateway.state.rawValue)
      $0.member("pid", Int(ProcessSignal.ownProcess))
      $0.member("uptime_seconds", (Clock.monotonic - gateway.started) / 1_000_000_000)
      $0.member("workers", gateway.workerCount)
      $0.object("configuration") {
        $0.member("file", reloader.source.file)
        $0.member("generation", gateway.snapshot.generation)
        $0.member("loaded", time: reloader.loadedAt)
        $0.member("file_is_newer", reloader.fileIsNewer)
        $0.member("can_roll_back", gateway.previous != nil)
        $0.array("needs_restart") { for note in reloader.needsRestart { $0.value(note) } }
      }
      $0.object("reloads") {
        $0.member("succeeded", reloader.succeeded)
        $0.member("failed", reloader.failed)
      }
      $0.object("upgrades") {
        $0.member("succeeded", upgrader.succeeded)
        $0.member("failed", upgrader.failed)
      }
      $0.array("listeners") {
        for listener in settings.listeners {
          $0.object {
            $0.member("name", listener.name)
            $0.member("address", (gateway.addresses[listener.name] ?? listener.address).text)
          }
        }
      }
      $0.member("connections", gateway.shared.openConnections)
      $0.member("accept_failures", gateway.shared.refusedAccepts)
      $0.member("routes", settings.routes.count)
      $0.member("upstreams", settings.upstreams.count)
      $0.array("warnings") { for warning in warnings { $0.value(warning) } }
    }
    return AdminAnswer(json: json)
  }

  /// The same for scripts: a name and a value a line. The command line finds the process and its reloads here.
  private var statusText: String {
    """
    state: \(gateway.state.rawValue)
    pid: \(ProcessSignal.ownProcess)
    generation: \(gateway.snapshot.generation)
    reloads: \(reloader.succeeded + reloader.failed)
    failed_upgrades: \(upgrader.failed)
    file: \(reloader.source.absolutePath)

    """
  }
}

extension JSONWriter {
  /// A moment in nanoseconds since 1970, as RFC 3339 writes it.
  mutating func member(_ name: String, time: Int) {
    var text = ByteBuffer(capacity: 32)
    Timestamp.append(microsecondOf: time, to: &text)
    member(name, text.span)
  }
}
