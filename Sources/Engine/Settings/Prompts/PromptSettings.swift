public import AI
public import Configuration
public import JSONSchema

/// A prompt that callers use like any other endpoint: its versions, and which of them answers who names none.
public struct PromptSettings: Sendable, Equatable {
  public var name: String
  /// What it is for, in the description of the API.
  public var help: String?
  /// Nil: the only one.
  public var current: String?
  public var versions: [PromptVersionSettings]
  public var position: Position

  public init(name: String = "", versions: [PromptVersionSettings] = [], position: Position = .none) {
    self.name = name
    self.versions = versions
    self.position = position
  }

  /// The version that answers who names none.
  var currentVersion: PromptVersionSettings? {
    versions.first { $0.name == current } ?? (current == nil ? versions.first : nil)
  }
}

/// One version of a prompt: what it takes, what the model is told, and what it must answer.
public struct PromptVersionSettings: Sendable, Equatable {
  public var name = ""
  public var model: ModelReference?
  public var inputs: [PromptInput] = []
  public var system: PromptTemplate?
  public var user: PromptTemplate?
  public var output: PromptOutputSettings?
  /// As it is written, which is how it is passed on.
  public var temperature: String?
  public var maxTokens: Int?
  public var cache: PromptCacheSettings?
  public var position = Position.none

  public init() {}

  /// JSON Schema of what callers send.
  var inputSchema: String {
    let members = inputs.map { JSONText.string($0.name).text + ":" + $0.schema }
    let required = inputs.filter(\.isRequired).map { JSONText.string($0.name).text }
    return #"{"type":"object","properties":{\#(members.joined(separator: ","))},"required":["#
      + required.joined(separator: ",") + #"],"additionalProperties":false}"#
  }
}

/// What a prompt's answer must be.
public struct PromptOutputSettings: Sendable, Equatable {
  public var schema: LoadedSchema?
}

/// How long a prompt's answers are kept.
public struct PromptCacheSettings: Sendable, Equatable {
  public var ttl = Nanoseconds.hours(1)
  /// Whether one caller may get what another one's call has brought.
  public var isShared = false
}

/// A value that a prompt takes.
public struct PromptInput: Sendable, Equatable {
  public enum Kind: String, Sendable, CaseIterable { case string, integer, number, boolean, list }

  public var name = ""
  public var kind = Kind.string
  public var minimum: PromptBound?
  public var maximum: PromptBound?
  /// The only texts that it may be; empty: any.
  public var choices: [String] = []
  public var initial: PromptDefault?
  public var isOptional = false
  public var position = Position.none

  var isRequired: Bool { initial == nil && !isOptional }

  /// The default as JSON of the input's own type: `default: 5` is a text where texts are asked for.
  var initialLiteral: String? {
    initial.map { kind == .string && $0.isScalar ? JSONText.string($0.text).text : $0.literal }
  }

  /// JSON Schema of the value.
  var schema: String {
    var members = [("type", JSONText.string(kind == .list ? "array" : kind.rawValue).text)]
    let names: (minimum: String, maximum: String) =
      switch kind {
      case .string: ("minLength", "maxLength")
      case .list: ("minItems", "maxItems")
      case .integer, .number, .boolean: ("minimum", "maximum")
      }
    // A text's largest size is in bytes; it has no more characters than that.
    if let minimum, kind != .string { members.append((names.minimum, minimum.text)) }
    if let maximum { members.append((names.maximum, maximum.bytes.map { "\($0)" } ?? maximum.text)) }
    if kind == .list { members.append(("items", #"{"type":"string"}"#)) }
    if !choices.isEmpty { members.append(("enum", JSONText.array(choices.map { .string($0) }).text)) }
    if let initialLiteral { members.append(("default", initialLiteral)) }
    return "{" + members.map { JSONText.string($0.0).text + ":" + $0.1 }.joined(separator: ",") + "}"
  }
}

/// The least or most that an input may be: a size of a text, a number, or how many elements.
public struct PromptBound: Sendable, Equatable {
  /// As it is written.
  public var text: String
  /// Where it is a size.
  public var bytes: Int?
}

/// What an input is when the caller says nothing.
public struct PromptDefault: Sendable, Equatable {
  public var literal: String
  public var text: String
  public var isScalar: Bool
}
