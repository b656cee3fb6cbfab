import Kernel
import Runtime

/// The probes of one target: when the next one is due, and what their results mean for its health.
///
/// Between two probes it is a timer; only while one runs is there a task.
final class TargetProbe {
  let upstream: Upstream
  let target: Target
  private unowned let prober: Prober
  private let loop: Loop
  private var health: HealthProbe
  private var pace: ProbePace
  private lazy var timer = Timer(loop) { [weak self] in self?.enqueue() }
  /// Waits for its turn, or runs.
  private var isUnderWay = false
  /// Traffic took the target out while a probe ran.
  private var isCalledFor = false
  private(set) var isStopped = false

  init(_ target: Target, of upstream: Upstream, prober: Prober, loop: Loop) {
    self.target = target
    self.upstream = upstream
    self.prober = prober
    self.loop = loop
    let check = upstream.settings.healthCheck
    // Without a check one connect is enough, and none that fails makes it worse than traffic found it.
    health = HealthProbe(
      of: target.health, healthyAfter: check?.healthyAfter ?? 1, unhealthyAfter: check?.unhealthyAfter ?? .max)
    pace = ProbePace(interval: check?.interval)
  }

  /// Starts with a target as it is found.
  func begin(random: inout some RandomNumberGenerator) {
    if target.health.isHealthy {
      if let wait = pace.firstWait(random: &random) { timer.arm(after: wait) }
    } else {
      hurry(random: &random)
    }
  }

  /// Traffic took the target out: looks for it.
  func hurry(random: inout some RandomNumberGenerator) {
    if isUnderWay {
      isCalledFor = true
    } else if let wait = pace.hurry(now: loop.now, random: &random) {
      schedule(wait)
    }
  }

  /// Ends it; the result of a probe that runs is not wanted any more.
  func stop() {
    isStopped = true
    timer.cancel()
  }

  /// Probes once.
  func run(_ http2: HTTP2Context) async -> TargetHealth.Transition? {
    let settings = upstream.settings
    let call = ProbeCall(loop, timeout: settings.healthCheck?.timeout ?? settings.timeouts.connect)
    health.begin()
    let outcome = await call.run(
      target, path: settings.healthCheck?.path, buffers: http2.smallBuffers,
      http2: settings.speaks == .http2 ? http2 : nil)
    lastOutcome = outcome
    if isStopped || outcome == .unknown { return nil }
    return health.record(success: outcome == .good)
  }

  private(set) var lastOutcome = ProbeOutcome.unknown

  /// The probe is over: waits for the next.
  func finish(random: inout some RandomNumberGenerator) {
    isUnderWay = false
    if isStopped { return }
    let isHealthy = target.health.isHealthy
    var wait = isCalledFor && !isHealthy ? pace.hurry(now: loop.now, random: &random) : nil
    if wait == nil {
      wait = pace.wait(
        now: loop.now, isHealthy: isHealthy, succeeded: lastOutcome == .good, random: &random)
    }
    isCalledFor = false
    if let wait { schedule(wait) }
  }

  private func schedule(_ wait: Int) {
    if wait == 0 { enqueue() } else { timer.arm(after: wait) }
  }

  private func enqueue() {
    timer.cancel()
    isUnderWay = true
    prober.enqueue(self)
  }
}
