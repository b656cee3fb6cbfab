/// One key of a section: its name, the type of its value, where the value goes, and a line of help.
///
/// The default is what the section's settings value has before anything is read, so that it is said in one place.
public struct Keyword<Settings: Sendable>: Sendable {
  public let name: String
  public let help: String
  public let isRequired: Bool
  public let shape: Shape
  /// Reads the value; what is wrong is reported and changes nothing.
  public let read: @Sendable (Node, inout Settings, inout Reading) -> Void
  /// The value that settings have, or nil when they have none.
  public let describe: @Sendable (Settings) -> Description?

  /// A keyword whose value is kept in a property.
  public init<Value>(
    _ name: String, _ property: any WritableKeyPath<Settings, Value> & Sendable, _ type: ValueType<Value>,
    required: Bool = false, _ help: String
  ) {
    self.init(
      name, type, required: required, help, get: { $0[keyPath: property] },
      set: { settings, value in settings[keyPath: property] = value })
  }

  /// A keyword that may be left out, so that its property has no value.
  public init<Value>(
    _ name: String, _ property: any WritableKeyPath<Settings, Value?> & Sendable, _ type: ValueType<Value>,
    required: Bool = false, _ help: String
  ) {
    self.init(
      name, type, required: required, help, get: { $0[keyPath: property] },
      set: { settings, value in settings[keyPath: property] = value })
  }

  /// A keyword whose value becomes something else than one property.
  public init<Value>(
    _ name: String, _ type: ValueType<Value>, required: Bool = false, _ help: String,
    get: @escaping @Sendable (Settings) -> Value?,
    set: @escaping @Sendable (inout Settings, Value) -> Void
  ) {
    self.init(
      name, shape: type.shape, required: required, help,
      read: { node, settings, reading in
        if let value = type.read(node, &reading) { set(&settings, value) }
      },
      describe: { get($0).map(type.describe) })
  }

  /// A keyword whose mapping has keywords for the same settings.
  public init(_ section: Section<Settings>) {
    self.init(
      section.name, shape: .section(section.shape), required: false, section.help,
      read: { section.read($0, into: &$1, &$2) },
      describe: { section.describe($0) })
  }

  /// A keyword that reads its node itself.
  public init(
    _ name: String, shape: Shape, required: Bool = false, _ help: String,
    read: @escaping @Sendable (Node, inout Settings, inout Reading) -> Void,
    describe: @escaping @Sendable (Settings) -> Description?
  ) {
    self.name = name
    self.help = help
    self.isRequired = required
    self.shape = shape
    self.read = read
    self.describe = describe
  }
}
