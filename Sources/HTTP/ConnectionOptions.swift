import Kernel

/// What `Connection` says about the connection itself (RFC 9110 §7.6.1).
struct ConnectionOptions {
  var close = false
  var keepAlive = false
  var upgrade = false

  /// Whether the connection may carry another message. `close` wins over `keep-alive` (RFC 9112 §9.3).
  func persists(minorVersion: UInt8) -> Bool { !close && (minorVersion > 0 || keepAlive) }
}

extension HeaderBlock {
  /// Reads all `Connection` fields and marks the fields that they nominate as hop-by-hop.
  ///
  /// A nomination of a field that frames or routes the message would make us forward another message than we read:
  /// it is refused.
  mutating func connectionOptions(_ bytes: Span<UInt8>) throws(HTTPError) -> ConnectionOptions {
    var options = ConnectionOptions()
    if !present.contains(.connection) { return options }
    var count = 0
    for line in fields.indices where fields[line].isNamed(.connection) {
      let value = fields[line].value(in: bytes)
      var start = 0
      while let element = Self.nextElement(of: value, from: &start) {
        count += 1
        if count > HTTPLimits.connectionOptions { throw .invalidConnectionOption }
        if !element.isEmpty { try apply(element.bytes(in: value), to: &options, bytes) }
      }
    }
    return options
  }

  private mutating func apply(
    _ option: Span<UInt8>, to options: inout ConnectionOptions, _ bytes: Span<UInt8>
  ) throws(HTTPError) {
    if ByteScan.equalIgnoringCase(option, ByteScan.bytes(of: "close")) {
      options.close = true
      return
    }
    if ByteScan.equalIgnoringCase(option, ByteScan.bytes(of: "keep-alive")) {
      options.keepAlive = true
      return
    }
    if ByteScan.endOfToken(in: option, from: 0) < option.count { throw .invalidConnectionOption }
    let known = FieldName.known(option)
    if known.isFraming { throw .invalidConnectionOption }
    if known == .upgrade { options.upgrade = true }
    if known.isHopByHop { return }
    for index in fields.indices where fields[index].isNamed(known) {
      if known != .other || ByteScan.equalIgnoringCase(fields[index].name(in: bytes), option) {
        mark(index, .hopByHop)
      }
    }
  }
}
