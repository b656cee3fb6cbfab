import Kernel

/// Recognises one kind of thing at one place.
enum Recogniser {
  /// Where a thing of this kind ends that begins at `start`; nil when none does.
  static func end(of detector: Detector, in text: Span<UInt8>, from start: Int) -> Int? {
    switch detector {
    case .email: email(text, start)
    case .phone: phone(text, start)
    case .card: card(text, start)
    case .iban: iban(text, start)
    case .ip: ipv4(text, start) ?? ipv6(text, start)
    }
  }

  static func mayContain(_ byte: UInt8, _ detector: Detector) -> Bool {
    switch detector {
    case .email: isLocal(byte) || byte == UInt8(ascii: "@")
    case .phone: isDigit(byte) || " -().+/".utf8.contains(byte)
    case .card: isDigit(byte) || byte == 0x20 || byte == UInt8(ascii: "-")
    case .iban: isWord(byte) || byte == 0x20
    case .ip: isHexadecimal(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }
  }

  static func isWord(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: "_") }
  static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
  private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
  private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }
  private static func isLocal(_ byte: UInt8) -> Bool { isWord(byte) || ".%+-".utf8.contains(byte) }

  /// Whether a word or number ends here.
  private static func isBoundary(_ text: Span<UInt8>, _ index: Int) -> Bool {
    index >= text.count || !isWord(text[index])
  }

  // MARK: Addresses

  /// The addresses that people have: unquoted (RFC 5321 §4.1.2), with a domain of two labels at least.
  private static func email(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard isWord(text[start]) else { return nil }
    var index = start
    while index < text.count, index - start <= 64, isLocal(text[index]) { index += 1 }
    guard index < text.count, text[index] == UInt8(ascii: "@"), text[index - 1] != UInt8(ascii: ".") else { return nil }
    index += 1
    var end: Int?
    var label = index
    while index < min(text.count, start + 254) {
      let byte = text[index]
      if isLetter(byte) || isDigit(byte) || (byte == UInt8(ascii: "-") && index > label) {
        index += 1
        if isTop(text, label, index), isBoundary(text, index) { end = index }
      } else if byte == UInt8(ascii: "."), index > label, index + 1 < text.count {
        index += 1
        label = index
      } else {
        break
      }
    }
    return end
  }

  /// Whether this label can be the last one: letters, two at least, behind a dot.
  private static func isTop(_ text: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard end - start >= 2, text[start - 1] == UInt8(ascii: ".") else { return false }
    for index in start..<end where !isLetter(text[index]) { return false }
    return true
  }

  private static func ipv4(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard start == 0 || text[start - 1] != UInt8(ascii: ".") else { return nil }
    var index = start
    for part in 0..<4 {
      if part > 0 {
        guard index < text.count, text[index] == UInt8(ascii: ".") else { return nil }
        index += 1
      }
      var value = 0
      let first = index
      while index < text.count, index - first < 3, isDigit(text[index]) {
        value = value * 10 + Int(text[index] &- 0x30)
        index += 1
      }
      if index == first || value > 255 || (index - first > 1 && text[first] == 0x30) { return nil }
    }
    guard isBoundary(text, index) else { return nil }
    // A fifth number makes it something else; a full stop does not.
    if index + 1 < text.count, text[index] == UInt8(ascii: "."), isDigit(text[index + 1]) { return nil }
    return index
  }

  /// Eight groups, or fewer with one `::` (RFC 4291 §2.2).
  private static func ipv6(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard isHexadecimal(text[start]) || text[start] == UInt8(ascii: ":") else { return nil }
    var index = start
    var groups = 0
    var isShortened = false
    while index < min(text.count, start + 39) {
      if index + 1 < text.count, text[index] == UInt8(ascii: ":"), text[index + 1] == UInt8(ascii: ":") {
        if isShortened { break }
        isShortened = true
        index += 2
      } else if groups > 0, !(isShortened && text[index - 1] == UInt8(ascii: ":")) {
        guard text[index] == UInt8(ascii: ":"), index + 1 < text.count, isHexadecimal(text[index + 1]) else { break }
        index += 1
      }
      let first = index
      while index < text.count, index - first < 4, isHexadecimal(text[index]) { index += 1 }
      if index == first { break }
      groups += 1
    }
    guard isBoundary(text, index), groups >= 1, isShortened ? groups <= 7 : groups == 8 else { return nil }
    // `::` alone, and times such as 12::30, say too little.
    return isShortened && groups < 2 ? nil : index
  }

  // MARK: Numbers

  private static func card(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard isDigit(text[start]) else { return nil }
    var end: Int?
    forEachDigit(text, start, most: 19, separators: " -") { count, next, sum in
      if count >= 13, isBoundary(text, next), sum { end = next }
    }
    return end
  }

  /// Calls `body` behind each digit with how many there were, where the next byte is, and whether Luhn's sum of all is
  /// right.
  private static func forEachDigit(
    _ text: Span<UInt8>, _ start: Int, most: Int, separators: StaticString,
    _ body: (_ count: Int, _ next: Int, _ isRight: Bool) -> Void
  ) {
    var index = start
    var count = 0
    // Of the digits so far, as the last one is of even or odd place: doubled are every second from the right.
    var sums = (plain: 0, doubled: 0)
    let between = ByteScan.bytes(of: separators)
    while index < text.count, count < most {
      let byte = text[index]
      if isDigit(byte) {
        let digit = Int(byte &- 0x30)
        let twice = digit * 2 > 9 ? digit * 2 - 9 : digit * 2
        sums = (sums.doubled + digit, sums.plain + twice)
        count += 1
        index += 1
        body(count, index, sums.plain % 10 == 0)
      } else if index > start, isDigit(text[index - 1]), ByteScan.index(of: byte, in: between) < between.count {
        index += 1
      } else {
        return
      }
    }
  }

  private static func iban(_ text: Span<UInt8>, _ start: Int) -> Int? {
    guard start + 4 <= text.count, isLetter(text[start]), isLetter(text[start + 1]), isDigit(text[start + 2]),
      isDigit(text[start + 3]), let length = lengths[country(text, start)]
    else { return nil }
    var remainder = 0
    var head = 0
    var count = 0
    var index = start
    while index < text.count, count < length {
      let byte = text[index]
      if byte == 0x20, index > start, text[index - 1] != 0x20 {
        index += 1
        continue
      }
      guard isDigit(byte) || isLetter(byte) else { return nil }
      let value = isDigit(byte) ? Int(byte &- 0x30) : Int((byte | 0x20) &- 0x61) + 10
      // The first four belong behind the others.
      if count < 4 {
        head = head * (value > 9 ? 100 : 10) + value
      } else {
        remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97
      }
      count += 1
      index += 1
    }
    guard count == length, isBoundary(text, index) else { return nil }
    return (remainder * 1_000_000 + head) % 97 == 1 ? index : nil
  }

  private static func country(_ text: Span<UInt8>, _ start: Int) -> String {
    String(decoding: [text[start] & 0xDF, text[start + 1] & 0xDF], as: UTF8.self)
  }

  /// Characters of a number by country.
  private static let lengths: [String: Int] = [
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
  ]

  /// 7 to 15 digits (E.164) behind a `+` or `00`, or 7 and more in groups of at most five, the first behind 0 or in
  /// brackets: anything less is any number.
  private static func phone(_ text: Span<UInt8>, _ start: Int) -> Int? {
    let isInternational =
      text[start] == UInt8(ascii: "+")
      || (text[start] == 0x30 && start + 1 < text.count && text[start + 1] == 0x30)
    guard isInternational || text[start] == UInt8(ascii: "(") || text[start] == 0x30 else { return nil }
    var index = start
    var digits = 0
    var groups = 0
    var end = start
    while index < min(text.count, start + 24), digits < 15 {
      let byte = text[index]
      if isDigit(byte) {
        if index == start || !isDigit(text[index - 1]) { groups += 1 }
        digits += 1
        end = index + 1
      } else if byte == UInt8(ascii: "+") {
        if index > start { break }
      } else if !" -()./".utf8.contains(byte) || (byte == 0x20 && index > 0 && text[index - 1] == 0x20) {
        break
      }
      index += 1
    }
    guard digits >= 7, isBoundary(text, end), isInternational || groups >= 2 else { return nil }
    return end
  }
}
