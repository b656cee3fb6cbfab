import PluginKit

/// What a call asks, as a test says it.
final class FixedContent: CallContent {
  let texts: [String]
  var temperature: Double?
  var canonical: [UInt8]?
  var meaning: [UInt8]?

  init(_ texts: [String]) { self.texts = texts }

  var userTexts: [String] { texts }
}
