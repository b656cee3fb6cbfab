import Kernel
import PluginKit

/// What a script of a store gets beside its key.
enum StoreArguments {
  case numbers([Int])
  case values([[UInt8]])

  var count: Int {
    switch self {
    case .numbers(let numbers): numbers.count
    case .values(let values): values.count
    }
  }

  func append(to out: inout ByteBuffer) {
    switch self {
    case .numbers(let numbers): for number in numbers { RESPEncoder.append("\(number)", into: &out) }
    case .values(let values): for value in values { RESPEncoder.append(value.span, into: &out) }
    }
  }
}

extension RESPValue {
  /// A list of numbers, which is what scripts answer with.
  var numbers: [Int] {
    get throws(StoreError) {
      guard case .list(let values) = self else { throw .refused }
      let numbers = values.compactMap { if case .integer(let number) = $0 { number } else { nil } }
      guard numbers.count == values.count else { throw .refused }
      return numbers
    }
  }

  /// A list of values, or a single one, which is what other scripts answer with.
  var values: [[UInt8]?] {
    get throws(StoreError) {
      guard case .list(let list) = self else { return [try value] }
      var values: [[UInt8]?] = []
      for one in list { values.append(try one.value) }
      return values
    }
  }

  private var value: [UInt8]? {
    get throws(StoreError) {
      switch self {
      case .text(let bytes): bytes
      case .null: nil
      case .integer(let number): Array("\(number)".utf8)
      case .other, .error, .list: throw .refused
      }
    }
  }
}
