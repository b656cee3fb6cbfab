/// Finds the word that was probably meant.
public enum NearestWord {
  /// The candidate that takes the fewest changes to reach, if it takes few enough to be no coincidence.
  public static func find(_ word: String, in candidates: some Sequence<String>) -> String? {
    guard word.utf8.count <= ConfigurationLimits.word else { return nil }
    let letters = Array(word.lowercased().unicodeScalars)
    guard !letters.isEmpty else { return nil }
    let allowed = max(1, letters.count / 3)
    var best: (word: String, distance: Int)?
    for candidate in candidates.prefix(ConfigurationLimits.candidates)
    where candidate.utf8.count <= ConfigurationLimits.word {
      let other = Array(candidate.lowercased().unicodeScalars)
      guard abs(other.count - letters.count) <= allowed else { continue }
      let distance = distance(letters, other)
      if distance <= min(allowed, other.count - 1), distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
  }

  /// How many letters must be inserted, deleted, replaced or swapped with their neighbour.
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in b.indices {
        var cost = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}
