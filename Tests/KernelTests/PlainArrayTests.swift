import Kernel
import Testing

@Suite struct PlainArrayTests {
  @Test func `it keeps what is appended while it grows, and its memory when it is emptied`() {
    var array = PlainArray<UInt32>()
    for round in 0..<3 {
      for index in 0..<1000 { array.append(UInt32(index + round)) }
      let count = array.count
      #expect(count == 1000)
      var kept: [UInt32] = []
      for index in array.span.indices where array[index] == array.span[index] { kept.append(array[index]) }
      #expect(kept == (0..<1000).map { UInt32($0 + round) })
      array[999] = 7
      let last = array[999]
      #expect(last == 7)
      array.removeAll()
      let isEmpty = array.isEmpty
      #expect(isEmpty)
    }
  }

  @Test func `an element that is not there is our own mistake`() async {
    await #expect(processExitsWith: .failure) {
      var array = PlainArray<UInt8>()
      array.append(1)
      array.removeAll()
      _ = array[0]
    }
  }
}
