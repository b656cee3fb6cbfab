/// A kind of personal data that can be recognised by how it is written.
public enum Detector: String, Sendable, CaseIterable {
  case email
  /// International (`+49 30 123456`), or grouped as people write numbers (`(030) 123-4567`).
  case phone
  /// 13 to 19 digits, in groups or not, whose check digit is right (ISO/IEC 7812-1).
  case card
  /// By country, length and check digits (ISO 13616).
  case iban
  /// Version 4 or 6.
  case ip

  /// The most bytes that one can have, with its separators.
  public var longest: Int {
    switch self {
    case .email: 254
    case .phone: 24
    case .card: 37
    case .iban: 42
    case .ip: 45
    }
  }
}

/// Something that was recognised.
public struct Detection: Sendable, Equatable {
  public let detector: Detector
  /// In bytes of the text.
  public let range: Range<Int>

  public init(detector: Detector, range: Range<Int>) {
    self.detector = detector
    self.range = range
  }
}
