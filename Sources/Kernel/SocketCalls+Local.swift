import CLinux
import Glibc

extension SocketCalls {
  /// Where a socket is bound; nil when it is not, or no longer open.
  public static func localAddress(of number: CInt) -> SocketAddress? {
    var form = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // SAFETY: the kernel writes at most `length` bytes into the storage, which every address fits.
    let result = unsafe withUnsafeMutablePointer(to: &form) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getsockname(number, $0, &length) }
    }
    return result == 0 ? SocketAddress(kernelForm: form) : nil
  }

  /// Whether a number that another process named is a socket that listens.
  public static func isListening(_ number: CInt) -> Bool { cl_is_listening(number) != 0 }

  /// Another number of an open socket, which belongs to the caller.
  public static func duplicate(_ socket: borrowing FileDescriptor) -> FileDescriptor? {
    let number = cl_duplicate(socket.number)
    return number < 0 ? nil : FileDescriptor(owning: number)
  }
}
