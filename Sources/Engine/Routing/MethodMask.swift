import Kernel

/// A set of request methods in one word.
///
/// The standard methods have fixed bits, in the order of `standard`; others that routes name get the bits above, by
/// their place in the table's list. The last bit stands for every method that no route names: only routes for any
/// method accept it.
public struct MethodMask: Sendable, Hashable {
  public let bits: UInt64

  init(bits: UInt64) { self.bits = bits }
  private init(bit: Int) { bits = 1 << UInt64(bit) }

  static let standard = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
  static let maximumExtensions = 54

  static var none: Self { Self(bits: 0) }
  static var any: Self { Self(bits: .max) }
  static var get: Self { Self(bit: 0) }
  static var head: Self { Self(bit: 1) }
  static var options: Self { Self(bit: 6) }
  static var unnamed: Self { Self(bit: 63) }

  var isEmpty: Bool { bits == 0 }
  func overlaps(_ other: Self) -> Bool { bits & other.bits != 0 }
  func union(_ other: Self) -> Self { Self(bits: bits | other.bits) }
  func subtracting(_ other: Self) -> Self { Self(bits: bits & ~other.bits) }

  /// The mask of one method by its name; names are case-sensitive (RFC 9110 §9.1).
  ///
  /// - Parameter extensions: the methods beside the standard ones that routes name.
  static func named(_ name: Span<UInt8>, extensions: [String]) -> Self {
    if name.count < 8 {
      var packed: UInt64 = 0
      for index in name.indices { packed = packed << 8 | UInt64(name[index]) }
      switch packed {
      case 0x47_4554: return get
      case 0x4845_4144: return head
      case 0x504F_5354: return Self(bit: 2)
      case 0x50_5554: return Self(bit: 3)
      case 0x50_4154_4348: return Self(bit: 4)
      case 0x4445_4C45_5445: return Self(bit: 5)
      case 0x4F_5054_494F_4E53: return options
      case 0x54_5241_4345: return Self(bit: 7)
      case 0x43_4F4E_4E45_4354: return Self(bit: 8)
      default: break
      }
    }
    for index in extensions.indices where ByteScan.equal(name, extensions[index].utf8Span.span) {
      return Self(bit: standard.count + index)
    }
    return unnamed
  }

  /// The names in the set; those of `unnamed` have none.
  func names(extensions: [String]) -> [String] {
    (Self.standard + extensions).enumerated().compactMap { bits >> UInt64($0.offset) & 1 == 1 ? $0.element : nil }
  }
}
