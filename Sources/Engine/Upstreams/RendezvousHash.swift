/// The numbers that targets draw in rendezvous hashing; the same on every machine.
enum RendezvousHash {
  /// How far a target is from a hash: exponentially distributed with the weight as its rate, so that the smallest of
  /// several falls to each target in proportion to its weight.
  static func distance(_ hash: UInt64, id: UInt64, weight: Int) -> Double {
    // Two rounds of SplitMix64's finaliser, so that neither a poor hash nor neighbouring ids show through.
    let drawn = mixed(mixed(hash) ^ id)
    return (64 - log2(Double(drawn) + 1)) / Double(weight)
  }

  /// The logarithm of a number of at least 1, by the series of the inverse hyperbolic tangent around √2; exact to 1e-7.
  static func log2(_ number: Double) -> Double {
    let squareRootOfTwo = 1.414_213_562_373_095_1
    let twoByLogOfTwo = 2.885_390_081_777_926_8
    let s = (number.significand - squareRootOfTwo) / (number.significand + squareRootOfTwo)
    let square = s * s
    let series = s * (1 + square * (1 / 3.0 + square * (1 / 5.0 + square * (1 / 7.0))))
    return Double(number.exponent) + 0.5 + twoByLogOfTwo * series
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
