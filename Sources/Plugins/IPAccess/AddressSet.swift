import Configuration
import Kernel

/// Ranges of addresses, sorted and merged, so that finding one takes as many steps as their number has bits.
struct AddressSet: Sendable {
  /// First and last addresses, both inclusive, rising and apart.
  private typealias Ranges = [(first: UInt128, last: UInt128)]

  private let v4: Ranges
  private let v6: Ranges

  init(_ ranges: [AddressRange]) {
    v4 = Self.merge(ranges.filter { !$0.isIPv6 }, width: 32)
    v6 = Self.merge(ranges.filter(\.isIPv6), width: 128)
  }

  var isEmpty: Bool { v4.isEmpty && v6.isEmpty }

  func contains(_ address: IPAddress) -> Bool {
    if address.isV4 { return Self.contains(UInt128(address.v4), v4) }
    return Self.contains(UInt128(address.high) << 64 | UInt128(address.low), v6)
  }

  private static func contains(_ address: UInt128, _ ranges: Ranges) -> Bool {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].last < address { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].first <= address
  }

  private static func merge(_ ranges: [AddressRange], width: Int) -> Ranges {
    var merged: Ranges = []
    for range in ranges.sorted(by: { $0.network < $1.network }) {
      // A prefix of 0 has all 128 bits behind it, by which no number can be shifted to one more.
      let hosts = range.prefix == 0 ? UInt128.max >> UInt128(128 - width) : (1 << UInt128(width - range.prefix)) - 1
      let last = range.network | hosts
      if let previous = merged.last, range.network <= previous.last {
        merged[merged.count - 1].last = max(previous.last, last)
      } else {
        merged.append((range.network, last))
      }
    }
    return merged
  }
}
