/// What a worker keeps of a client's connection, whatever is spoken over it.
protocol ClientConnection: AnyObject {
  /// Its place among the worker's connections.
  var index: Int { get set }
  var listener: ListenerIdentity { get }
  /// The worker takes nothing new: it closes when what goes on is over.
  func drain()
  /// Ends whatever goes on, at once.
  func cut()
}
