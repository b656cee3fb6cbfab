/// What of a request cannot be said in the dialect that the model speaks.
///
/// Nothing is changed silently: with one of these a request is refused, or sent without them and answered with a
/// warning. They are gathered rather than thrown, so that one code serves both.
public struct Losses: Sendable {
  /// In the client's words.
  public private(set) var fields: [String] = []
  /// What only some dialects can say, each with the client's word for it.
  private var cachePoints: [(point: CachePoint, field: String)] = []
  private var chatMembers: [(member: ChatMember, field: String)] = []

  public init() {}

  /// Whether every dialect can say all; where the prompt is kept does not change what is asked.
  var isEmpty: Bool { fields.isEmpty && chatMembers.isEmpty }

  mutating func add(_ point: CachePoint, _ field: String) { cachePoints.append((point, field)) }

  /// Takes out where the prompt is to be kept, for a dialect that can say it; for others it is lost.
  mutating func takeCachePoints(for back: Back) -> Set<CachePoint> {
    let points = cachePoints
    cachePoints = []
    if back == .bedrock { return Set(points.map(\.point)) }
    for point in points { add(point.field) }
    return []
  }

  mutating func add(_ member: ChatMember, _ field: String) { chatMembers.append((member, field)) }

  /// Takes out what only servers of Chat Completions know; for others it is lost.
  mutating func takeChatMembers(for back: Back) -> [ChatMember] {
    let members = chatMembers
    chatMembers = []
    if back == .openai { return members.map(\.member) }
    for member in members { add(member.field) }
    return []
  }

  public mutating func add(_ field: String) {
    if !fields.contains(field) { fields.append(field) }
  }

  /// A list with nothing in it asks for nothing.
  mutating func add(_ element: JSONElement) { if !element.isArray || !element.elements.isEmpty { add(element.path) } }
}

/// Something of a conversation that some dialect cannot say.
public enum Feature: Sendable, Equatable {
  case topK, topP, temperature, frequencyPenalty, presencePenalty, seed, stop, maxTokens, format, reasoning,
    shownThoughts,
    parallelTools, toolChoice, user, safetyIdentifier, strictTools
  /// A message, by its place in the request, and what of it.
  case message(Int, String)
}

/// Gathers the features that a back cannot say, in the words of the client's dialect.
public struct Inexpressible {
  private let front: Front
  public private(set) var losses: Losses

  public init(_ front: Front, _ losses: Losses = Losses()) {
    self.front = front
    self.losses = losses
  }

  mutating func add(_ feature: Feature) { losses.add(front.name(of: feature)) }

  /// The same if the value is there.
  mutating func add<T>(_ feature: Feature, if value: T?) { if value != nil { add(feature) } }
}

/// A request that cannot be read.
public struct Refusal: Error, Sendable, Equatable {
  public let field: String?
  public let message: String

  public init(_ field: String?, _ message: String) {
    self.field = field
    self.message = message
  }

  static func expected(_ what: String, at element: JSONElement) -> Refusal {
    Refusal(element.path, "`\(element.path)` is not \(what).")
  }

  static func missing(_ name: String, in element: JSONElement) -> Refusal {
    let path = element.path.isEmpty ? name : "\(element.path).\(name)"
    return Refusal(path, "`\(path)` is missing.")
  }

  public var failure: Failure { Failure(.invalidRequest, message, field: field) }
}

extension JSONElement {
  /// The value as text.
  func requireString() throws(Refusal) -> String {
    guard let string else { throw .expected("a string", at: self) }
    return string
  }

  func requireNumber() throws(Refusal) -> JSONNumber {
    guard let number else { throw .expected("a number", at: self) }
    return number
  }

  /// Nil for none, which is what everybody does unasked and clients like to say.
  func requirePenalty() throws(Refusal) -> JSONNumber? {
    let number = try requireNumber()
    return Double(number.literal) == 0 ? nil : number
  }

  func requireInteger() throws(Refusal) -> Int {
    guard let integer else { throw .expected("an integer", at: self) }
    return integer
  }

  func requireFlag() throws(Refusal) -> Bool {
    guard let flag else { throw .expected("true or false", at: self) }
    return flag
  }

  func requireArray() throws(Refusal) -> [JSONElement] {
    guard isArray else { throw .expected("an array", at: self) }
    return elements
  }

  func requireObject() throws(Refusal) -> JSONElement {
    guard isObject else { throw .expected("an object", at: self) }
    return self
  }

  func requireMember(_ name: String) throws(Refusal) -> JSONElement {
    guard let member = try requireObject()[name] else { throw .missing(name, in: self) }
    return member
  }

  /// The text of a member that must be there.
  func requireString(_ name: String) throws(Refusal) -> String { try requireMember(name).requireString() }

  /// The text of a member that may be absent.
  func optionalString(_ name: String) throws(Refusal) -> String? {
    guard let member = self[name] else { return nil }
    return try member.requireString()
  }

  /// An object as it was written.
  func requireObjectLiteral() throws(Refusal) -> String {
    guard isObject else { throw .expected("an object", at: self) }
    return literal
  }

  /// Notes every member whose name is none of these.
  func noteOthers(than known: Set<String>, _ losses: inout Losses) {
    for (name, value) in members where !known.contains(name) && !value.isNull { losses.add(value) }
  }
}
