public import Telemetry

extension CallLogOptions {
  /// What the configuration says of the call log; nil when there is to be none.
  public init?(_ settings: CallLogSettings) {
    let destination: Destination
    switch settings.destination {
    case .off: return nil
    case .stdout: destination = .standardOutput
    case .directory(let path): destination = .directory(path)
    }
    self.init(destination, limits: SegmentLimits(settings))
  }
}

extension SegmentLimits {
  init(_ settings: CallLogSettings) {
    self.init(
      segmentSize: settings.segmentSize, segmentAge: settings.segmentAge, retainSize: settings.retainSize,
      retainAge: settings.retainAge)
  }
}
