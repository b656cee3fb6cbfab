#include "clinux.h"

#include <string.h>

#include "scan.h"

size_t cl_scan_byte(const uint8_t *bytes, size_t start, size_t count, uint8_t byte) {
  if (start >= count) return count;
  const uint8_t *found = memchr(bytes + start, byte, count - start);
  return found ? (size_t)(found - bytes) : count;
}

#define EXPORT(name) \
  size_t cl_scan_##name(const uint8_t *bytes, size_t start, size_t count) { return scan_##name(bytes, start, count); }
EXPORT(token)
EXPORT(field_value)
EXPORT(target)
EXPORT(json)
EXPORT(name)
EXPORT(host)
EXPORT(path)
EXPORT(query)

size_t cl_scan_slashes(const uint8_t *bytes, size_t start, size_t count) {
  return scan_slashes(bytes, start, count, count);
}

int cl_equal(const uint8_t *a, const uint8_t *b, size_t count) { return count == 0 || memcmp(a, b, count) == 0; }

static inline uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

int cl_equal_ignoring_case(const uint8_t *a, const uint8_t *b, size_t count) {
  if (cl_equal(a, b, count)) return 1;
  for (size_t i = 0; i < count; i++)
    if (lower(a[i]) != lower(b[i])) return 0;
  return 1;
}

// Multiply and fold, eight bytes a step (the construction of wyhash): fast, and with a random seed not guessable
// from outside, which is what a table keyed by client bytes needs.
static inline uint64_t fold(uint64_t a, uint64_t b) {
  __uint128_t product = (__uint128_t)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t cl_hash(const uint8_t *bytes, size_t count, uint64_t seed) {
  const uint64_t k0 = 0xa0761d6478bd642full, k1 = 0xe7037ed1a0b428dbull;
  uint64_t state = fold(seed ^ k0, count ^ k1), word = 0;
  while (count >= 8) {
    memcpy(&word, bytes, 8);
    state = fold(state ^ word, k1);
    bytes += 8;
    count -= 8;
  }
  word = 0;
  if (count) memcpy(&word, bytes, count);
  return fold(state ^ word, k0 ^ seed);
}
