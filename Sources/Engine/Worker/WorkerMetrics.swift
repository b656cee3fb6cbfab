final class WorkerMetrics {
  func connectionOpened() {}
  func connectionClosed() {}
  func exchangeBegan() {}
  func forgetRoutes() {}
}
