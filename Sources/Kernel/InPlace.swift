import Synchronization

/// A mark in a large value that is to be borrowed where it lies.
///
/// A value without it could lie in registers, as far as the compiler knows, and is copied whole, however large, for each
/// function that borrows it out of another value or an object. One that holds an atomic stays at its address, and that
/// is what is passed.
public struct InPlace: ~Copyable {
  private let mark = Atomic<UInt8>(0)

  public init() {}
}
