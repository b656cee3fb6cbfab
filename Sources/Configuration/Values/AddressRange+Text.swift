import Kernel

extension AddressRange {
  /// `10.0.0.0/8`, or an address alone. Nil when it is no range; bits behind the prefix are cut off.
  init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, first.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
      let address = IPAddress(String(first))
    else { return nil }
    let width = address.isV4 ? 32 : 128
    var prefix = width
    if parts.count == 2 {
      let digits = parts[1].utf8
      guard digits.count <= 3, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }),
        let written = Int(parts[1]), written <= width
      else { return nil }
      prefix = written
    }
    let bits = address.isV4 ? UInt128(address.v4) : UInt128(address.high) << 64 | UInt128(address.low)
    let hostBits = UInt128(width - prefix)
    self.init(isIPv6: !address.isV4, network: hostBits == 128 ? 0 : (bits >> hostBits) << hostBits, prefix: prefix)
  }

  /// As the configuration writes it.
  public var text: String {
    let address =
      isIPv6
      ? IPAddress(high: UInt64(network >> 64), low: UInt64(truncatingIfNeeded: network))
      : IPAddress(v4: UInt32(truncatingIfNeeded: network))
    return "\(address)/\(prefix)"
  }
}

extension ValueType where Value == AddressRange {
  public static var addressRange: ValueType {
    let shape = ScalarShape(
      "range of addresses", expectation: "an address or a range such as 10.0.0.0/8 or fd00::/8")
    return scalar(shape, text: \.text) { text throws(ScalarMistake) in
      guard let range = AddressRange(text) else { throw .malformed }
      return range
    }
  }
}
