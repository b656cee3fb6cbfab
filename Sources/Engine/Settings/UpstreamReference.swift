public import Configuration

/// What a route says of an upstream: its name, or a target.
public enum UpstreamReference: Sendable {
  case name(String, Position)
  case target(TargetSettings, Position)
}

extension ValueType where Value == UpstreamReference {
  static var upstreamReference: ValueType {
    let shape = ScalarShape(
      "upstream", expectation: "the name of an upstream, http://HOST:PORT, https://HOST:PORT or unix:PATH")
    let target = ValueType<TargetURL>.targetURL
    return ValueType(
      shape: .scalar(shape),
      read: { node, reading in
        guard let text = reading.scalar(node, shape) else { return nil }
        guard TargetURL.isTarget(text) else { return .name(text, node.position) }
        return target.read(node, &reading).map { url in
          .target(
            TargetSettings(address: url.address, name: url.address.name, isSecure: url.isSecure), node.position)
        }
      },
      describe: { reference in
        switch reference {
        case .name(let name, _): .text(name)
        case .target(let settings, _):
          target.describe(TargetURL(address: settings.address, isSecure: settings.isSecure))
        }
      })
  }
}
