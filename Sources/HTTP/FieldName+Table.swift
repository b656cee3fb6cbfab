import Kernel

extension FieldName {
  /// All names but `other`, in the order of their numbers.
  static let table = NameTable(allCases.dropFirst().map(\.text))

  /// The name that these bytes spell, in any case, or `other`.
  public static func known(_ name: Span<UInt8>) -> FieldName {
    if ByteScan.endOfName(in: name, from: 0) < name.count { return .other }
    return FieldName(rawValue: table.number(of: name))!
  }
}
