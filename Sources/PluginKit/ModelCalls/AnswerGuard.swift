public import Detection

/// Watches over the texts of a model's answer, whole or in a stream.
///
/// A hook gives one to the call with `guardAnswer`. It may serve several attempts at the call, one after the other.
public protocol AnswerGuard: AnyObject {
  /// The bytes that the model may write, and the rule that says so; nil where there is no such limit.
  var longestAnswer: (bytes: Int, rule: BrokenRule)? { get }
  /// Whether somebody is asked about the whole answer, so that the client gets nothing of it before.
  var judgesAnswer: Bool { get }
  /// An answer begins, which may not be the first of the call.
  func answerBegins()
  /// What one text goes through.
  func makeFilter() -> any TextFilter
  /// Asks about the answer, all of which has gone through the filters.
  func judgeAnswer() async -> AnswerJudgement
  /// The answer was withheld, or ended, for a rule, which may be another guard's.
  func answerWasDenied(_ rule: BrokenRule)
}

/// What is said of a whole answer.
public enum AnswerJudgement: Sendable {
  case passed
  /// It breaks this rule.
  case denied(BrokenRule)
  /// Nobody says whether it breaks this rule, and that is this fault.
  case unjudged(BrokenRule, Fault)
}
