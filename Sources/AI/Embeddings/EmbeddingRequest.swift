import JSON
import Kernel

/// What is to be embedded, in no dialect's words: texts, each of which becomes a vector.
struct EmbeddingRequest: Sendable {
  /// What the vectors are for; models put the same text elsewhere for another purpose.
  enum Purpose: String, Sendable, CaseIterable {
    case query = "search_query"
    case document = "search_document"
    case classification, clustering
    case similarity
    case answering
    case verification
    case code
  }

  /// What not every dialect can say.
  enum Feature { case dimensions, purpose, title, user }

  var texts: [String] = []
  /// The field in which the client lists them.
  var list = "input"
  /// How many numbers each vector shall have.
  var dimensions: Int?
  var purpose: Purpose?
  /// Of a document that is to be found.
  var title: String?
  var user: String?
  /// Whether a text that is too long is cut; else it is an error.
  var truncates = false
  /// Whether the client wants each vector as base64 of its numbers.
  var isBase64 = false
  /// Whether the client asks for a list of vectors, and not for the only one.
  var isBatch = true
  /// Where the client said what not every dialect can say.
  private var places: [Feature: String] = [:]

  /// Notes that the client said something, and in which field.
  mutating func note(_ feature: Feature, at element: JSONElement) { places[feature] = element.path }

  /// Notes that the dialect of the provider cannot say these.
  func lose(_ features: [Feature], _ losses: inout Losses) {
    for feature in features {
      if let place = places[feature] { losses.add(place) }
    }
  }
}

/// What became of it.
struct EmbeddingAnswer {
  var vectors: [EmbeddingVector] = []
  var usage = Usage()
  /// As the model calls itself; empty where it does not.
  var model = ""
}

/// One vector: the numbers as the provider wrote them, so that passing them on changes nothing.
struct EmbeddingVector {
  /// An array of JSON.
  private let literal: ArraySlice<UInt8>
  private let numbers: [JSONElement]

  /// - Parameter element: an array of numbers.
  init(_ element: JSONElement) throws(Refusal) {
    numbers = try element.requireArray()
    for number in numbers { _ = try number.requireNumber() }
    literal = element.document[element.range]
  }

  func write(into json: inout JSONWriter) {
    let numbers = literal
    json.value(literal: numbers.span)
  }

  /// The numbers as OpenAI sends them in base64: 32-bit floats, the lowest octet first. Nil where one is too large.
  var floats: [UInt8]? {
    var octets: [UInt8] = []
    octets.reserveCapacity(numbers.count * 4)
    for number in numbers {
      guard let value = Float(number.literal), value.isFinite else { return nil }
      let bits = value.bitPattern
      for shift: UInt32 in [0, 8, 16, 24] { octets.append(UInt8(truncatingIfNeeded: bits >> shift)) }
    }
    return octets
  }
}
