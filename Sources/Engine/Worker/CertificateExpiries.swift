import Foreign
import Telemetry

/// When the certificates of the listeners expire, as they are now: those that a reload took away are shown no more.
struct CertificateExpiries {
  private var shown: [SeriesIndex] = []

  /// Certificates with keys of several kinds share a name, and the first of them to expire is what matters.
  mutating func gather(_ listeners: [ListenerSettings], into shard: MetricShard) {
    var moments: [SeriesIndex: Int] = [:]
    for listener in listeners {
      for settings in listener.tls?.certificates ?? [] {
        guard let certificate = settings.identity?.certificate else { continue }
        let name = certificate.hosts.first ?? certificate.subject
        let series = shard.series(.tlsCertificateExpiry, [listener.name, name])
        moments[series] = min(moments[series] ?? .max, certificate.validUntil * 1_000_000_000)
      }
    }
    for series in shown where moments[series] == nil { shard.unset(series) }
    for (series, moment) in moments { shard.set(series, moment) }
    shown = Array(moments.keys)
  }
}
