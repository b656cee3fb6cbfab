public import Detection

/// Watches over the texts of a model's answer, whole or in a stream.
///
/// A hook gives one to the call with `guardAnswer`. It may serve several attempts at the call, one after the other.
public protocol AnswerGuard: AnyObject {
  /// The bytes that the model may write, and the rule that says so; nil where there is no such limit.
  var longestAnswer: (bytes: Int, rule: BrokenRule)? { get }
  /// What one text goes through.
  func makeFilter() -> any TextFilter
  /// The answer was withheld, or ended, for a rule, which may be another guard's.
  func answerWasDenied(_ rule: BrokenRule)
}
