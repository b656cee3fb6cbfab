/// Runs libFuzzer with a body that gets one input; the process's arguments are libFuzzer's.
///
/// SwiftPM links `main` to a symbol named after the target, so each fuzzer defines that and calls this.
package func fuzz(
  _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt {
  var count = count
  var arguments = unsafe arguments
  // SAFETY: both live until libFuzzer returns.
  return unsafe runDriver(&count, &arguments, body)
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<CInt>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
