#include "clinux.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

size_t cl_scan_byte(const uint8_t *bytes, size_t start, size_t count, uint8_t byte) {
  if (start >= count) return count;
  const uint8_t *found = memchr(bytes + start, byte, count - start);
  return found ? (size_t)(found - bytes) : count;
}

// What ends each kind of run, one byte at a time; the SSE2 loops below say the same of sixteen.
static inline int ends_field_value(uint8_t c) { return (c < 0x20 && c != '\t') || c == 0x7f; }
static inline int ends_target(uint8_t c) { return c < 0x21 || c >= 0x7f; }
static inline int ends_json(uint8_t c) { return c < 0x20 || c == '"' || c == '\\' || c >= 0x80; }

// tchar: "!#$%&'*+-.^_`|~" DIGIT ALPHA, a bit each.
static const uint32_t token_bits[8] = {0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0};
static inline int ends_token(uint8_t c) { return !(token_bits[c >> 5] >> (c & 31) & 1); }

// ALPHA DIGIT "-"
static const uint32_t name_bits[8] = {0, 0x03ff2000, 0x07fffffe, 0x07fffffe, 0, 0, 0, 0};
static inline int ends_name(uint8_t c) { return !(name_bits[c >> 5] >> (c & 31) & 1); }
// unreserved: ALPHA DIGIT "-._~"
static const uint32_t host_bits[8] = {0, 0x03ff6000, 0x87fffffe, 0x47fffffe, 0, 0, 0, 0};
static inline int ends_host(uint8_t c) { return !(host_bits[c >> 5] >> (c & 31) & 1); }
// Visible ASCII without "\"#%.<>?\\^`{}"
static const uint32_t path_bits[8] = {0, 0x2fffbfd2, 0xafffffff, 0x57fffffe, 0, 0, 0, 0};
static inline int ends_path(uint8_t c) { return !(path_bits[c >> 5] >> (c & 31) & 1); }
// Visible ASCII without "\"#<>"
static const uint32_t query_bits[8] = {0, 0xaffffff2, 0xffffffff, 0x7fffffff, 0, 0, 0, 0};
static inline int ends_query(uint8_t c) { return !(query_bits[c >> 5] >> (c & 31) & 1); }

size_t cl_scan_token(const uint8_t *bytes, size_t start, size_t count) {
  size_t i = start;
  while (i < count && !ends_token(bytes[i])) i++;
  return i < count ? i : count;
}

#ifdef __SSE2__
#define LOAD(p) _mm_loadu_si128((const __m128i *)(p))
#define ALL(c) _mm_set1_epi8((char)(c))
// Unsigned a < n, as a mask: max(a, n) != a.
#define BELOW(a, n) _mm_andnot_si128(_mm_cmpeq_epi8(_mm_max_epu8(a, ALL(n)), a), ALL(0xff))
#define IS(n) _mm_cmpeq_epi8(v, ALL(n))
// Bytes from `first` to `first + span`: unsigned v - first <= span.
#define WITHIN(v, first, span)                                                   \
  _mm_cmpeq_epi8(_mm_min_epu8(_mm_sub_epi8(v, ALL(first)), ALL(span)), _mm_sub_epi8(v, ALL(first)))
// Bytes that are n, or n without its bit 1.
#define IS_PAIR(n) _mm_cmpeq_epi8(_mm_or_si128(v, ALL(2)), ALL(n))
#define LETTER_OR_DIGIT _mm_or_si128(WITHIN(_mm_or_si128(v, ALL(0x20)), 'a', 25), WITHIN(v, '0', 9))
#define NOT(mask) _mm_xor_si128(mask, ALL(0xff))
#define ANY3(a, b, c) _mm_or_si128(_mm_or_si128(a, b), c)
// Controls, space and (signed) everything above ASCII; DEL is left to the scan.
#define NOT_VISIBLE _mm_cmplt_epi8(v, ALL(0x21))
#define SCAN(name, mask_expression, ends)                                        \
  size_t name(const uint8_t *bytes, size_t start, size_t count) {                \
    size_t i = start;                                                            \
    for (; i + 16 <= count; i += 16) {                                           \
      __m128i v = LOAD(bytes + i);                                               \
      int mask = _mm_movemask_epi8(mask_expression);                             \
      if (mask) return i + (size_t)__builtin_ctz((unsigned)mask);                \
    }                                                                            \
    while (i < count && !ends(bytes[i])) i++;                                    \
    return i < count ? i : count;                                                \
  }
#else
#define SCAN(name, mask_expression, ends)                                        \
  size_t name(const uint8_t *bytes, size_t start, size_t count) {                \
    size_t i = start;                                                            \
    while (i < count && !ends(bytes[i])) i++;                                    \
    return i < count ? i : count;                                                \
  }
#endif

SCAN(cl_scan_field_value,
     _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, ALL('\t')), BELOW(v, 0x20)), _mm_cmpeq_epi8(v, ALL(0x7f))),
     ends_field_value)
SCAN(cl_scan_target, _mm_or_si128(_mm_or_si128(BELOW(v, 0x21), _mm_cmpeq_epi8(v, ALL(0x7f))), v), ends_target)
SCAN(cl_scan_json,
     _mm_or_si128(_mm_or_si128(BELOW(v, 0x20), v),
                  _mm_or_si128(_mm_cmpeq_epi8(v, ALL('"')), _mm_cmpeq_epi8(v, ALL('\\')))),
     ends_json)
SCAN(cl_scan_name, NOT(_mm_or_si128(LETTER_OR_DIGIT, IS('-'))), ends_name)
SCAN(cl_scan_host, NOT(_mm_or_si128(LETTER_OR_DIGIT, ANY3(WITHIN(v, '-', 1), IS('_'), IS('~')))), ends_host)
SCAN(cl_scan_path,
     _mm_or_si128(ANY3(ANY3(NOT_VISIBLE, WITHIN(v, '"', 1), IS('%')), ANY3(IS('.'), IS_PAIR('>'), IS('?')), IS('`')),
                  ANY3(IS_PAIR('^'), IS('{'), IS_PAIR(0x7f))),
     ends_path)
SCAN(cl_scan_query, _mm_or_si128(ANY3(NOT_VISIBLE, WITHIN(v, '"', 1), IS_PAIR('>')), IS(0x7f)), ends_query)

int cl_equal(const uint8_t *a, const uint8_t *b, size_t count) { return count == 0 || memcmp(a, b, count) == 0; }

static inline uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; }

int cl_equal_ignoring_case(const uint8_t *a, const uint8_t *b, size_t count) {
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
