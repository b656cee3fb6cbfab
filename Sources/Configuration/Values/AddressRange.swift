/// A block of addresses, such as `10.0.0.0/8` or `::1/128`.
public struct AddressRange: Sendable, Equatable {
  public var isIPv6: Bool
  /// The first address: 32 bits of IPv4 or 128 of IPv6, host byte order, the bits behind `prefix` zero.
  public var network: UInt128
  /// How many leading bits are common: 0 to 32 or 128.
  public var prefix: Int

  public init(isIPv6: Bool, network: UInt128, prefix: Int) {
    self.isIPv6 = isIPv6
    self.network = network
    self.prefix = prefix
  }

  public func contains(ipv4 address: UInt32) -> Bool {
    !isIPv6 && holds(UInt128(address), bits: 32)
  }

  public func contains(ipv6 address: UInt128) -> Bool {
    isIPv6 && holds(address, bits: 128)
  }

  private func holds(_ address: UInt128, bits: Int) -> Bool {
    prefix == 0 || (address ^ network) >> UInt128(bits - prefix) == 0
  }
}
