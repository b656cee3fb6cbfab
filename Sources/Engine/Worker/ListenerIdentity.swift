/// What an exchange knows of the listener that it came through.
package final class ListenerIdentity: Sendable {
  package let index: Int
  package let name: String

  package init(index: Int, name: String) {
    self.index = index
    self.name = name
  }
}
