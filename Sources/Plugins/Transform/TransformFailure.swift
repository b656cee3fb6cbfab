import JSON
import Kernel
public import PluginKit

/// Why a message could not be edited.
enum TransformFailure: Error {
  case malformed(JSONError)
  /// An edit is to go into a value that is neither an object nor absent.
  case conflict(offset: Int)
  case conversion(ConversionFailure)
  /// A value could not stand where it belongs: in a field, in a path.
  case invalidValue

  /// What the caller is told, with the offset where there is one.
  func fault(_ direction: Direction, _ exchange: inout Exchange) -> Fault {
    switch self {
    case .malformed(let error):
      exchange.addFaultMember("offset", error.offset)
      exchange.addFaultMember("mistake", error.text)
      return direction == .request ? .malformedJSON : .unreadableAnswer
    case .conflict(let offset):
      exchange.addFaultMember("offset", offset)
      return direction == .request ? .untransformable : .unreadableAnswer
    case .conversion(.malformed(let text, let offset)):
      exchange.addFaultMember("offset", offset)
      exchange.addFaultMember("mistake", text)
      return direction == .request ? .malformedBody : .unreadableAnswer
    case .conversion(.tooLarge): return direction == .request ? .decodedBodyTooLarge : .unreadableAnswer
    case .invalidValue: return direction == .request ? .untransformable : .unreadableAnswer
    }
  }
}

extension Fault {
  public static let malformedJSON = Fault(
    .client, 400, "malformed_json", "The body is not well-formed JSON; offset says at which byte.")
  public static let notJSON = Fault(
    .client, 415, "not_json", "The body must be JSON, with a Content-Type that says so.")
  public static let malformedBody = Fault(
    .client, 400, "malformed_body", "The body is not what its type says; offset says at which byte.")
  public static let unexpectedType = Fault(
    .client, 415, "unexpected_content_type", "The body is of another type than this route takes.")
  public static let untransformable = Fault(
    .client, 400, "untransformable", "A value of the request cannot stand where the gateway must put it.")
}
