public import Configuration

/// What a plugin was told, at one place of the file.
public struct PluginEntry: Sendable {
  public var name: String
  /// The plugin's own settings value, as its section read it.
  public var settings: any Sendable
  public var position: Position
  /// Where it was written; nil for one that no file has.
  public var origin: PluginOrigin?

  public init(
    name: String, settings: any Sendable, position: Position = .none, origin: PluginOrigin? = nil
  ) {
    self.name = name
    self.settings = settings
    self.position = position
    self.origin = origin
  }
}

/// Which entry of which list a plugin was written as, by the names of the configuration.
public struct PluginOrigin: Sendable, Hashable {
  public enum List: Sendable, Hashable {
    /// `plugins` at the top level.
    case common
    case set(String)
    case route(String)
  }

  public var list: List
  /// Its place in the list as written.
  public var index: Int
}

/// A list of plugins that other lists name.
public struct PluginSetSettings: Sendable {
  public var name: String
  public var plugins: [PluginEntry]
  public var position: Position

  public init(name: String, plugins: [PluginEntry] = [], position: Position = .none) {
    self.name = name
    self.plugins = plugins
    self.position = position
  }
}
