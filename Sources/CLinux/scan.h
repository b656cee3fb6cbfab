// The byte scans themselves, inline for bytes.c and head.c.
//
// Each returns the first index in [start, count) that ends the run, or count. It reads [0, count) at most.
#ifndef SCAN_H
#define SCAN_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

// The first index in [start, end) of a '/' that another follows in it, or end. It reads [0, count) at most.
static inline size_t scan_slashes(const uint8_t *bytes, size_t start, size_t end, size_t count) {
  size_t i = start;
#ifdef __SSE2__
  const __m128i slash = _mm_set1_epi8('/');
  for (; i + 17 <= count && i + 1 < end; i += 16) {
    __m128i first = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + i)), slash);
    __m128i second = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(bytes + i + 1)), slash);
    unsigned mask = (unsigned)_mm_movemask_epi8(_mm_and_si128(first, second));
    if (mask) {
      i += (size_t)__builtin_ctz(mask);
      return i + 1 < end ? i : end;
    }
  }
#endif
  for (; i + 1 < end; i++)
    if (bytes[i] == '/' && bytes[i + 1] == '/') return i;
  return end;
}

static inline size_t scan_token(const uint8_t *bytes, size_t start, size_t count) {
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
// Bytes from `last - span + 1` to `last`: moved to the top of the signed range, where nothing else is.
#define UP_TO(v, last, span) _mm_cmpgt_epi8(_mm_add_epi8(v, ALL(0x7f - (last))), ALL(0x7f - (span)))
#define LETTER_OR_DIGIT _mm_or_si128(UP_TO(_mm_or_si128(v, ALL(0x20)), 'z', 26), UP_TO(v, '9', 10))
#define NOT(mask) _mm_xor_si128(mask, ALL(0xff))
#define ANY3(a, b, c) _mm_or_si128(_mm_or_si128(a, b), c)
// Controls, space and (signed) everything above ASCII; DEL is left to the scan.
#define NOT_VISIBLE _mm_cmplt_epi8(v, ALL(0x21))
// Sixteen bytes at a time; what is left at the end is looked at in a load that overlaps the one before.
#define SCAN(name, mask_expression, ends)                                                  \
  static inline size_t name(const uint8_t *bytes, size_t start, size_t count) {            \
    size_t i = start;                                                                      \
    for (; i + 16 <= count; i += 16) {                                                     \
      __m128i v = LOAD(bytes + i);                                                         \
      unsigned mask = (unsigned)_mm_movemask_epi8(mask_expression);                        \
      if (mask) return i + (size_t)__builtin_ctz(mask);                                    \
    }                                                                                      \
    if (i >= count) return count;                                                          \
    if (count >= 16) {                                                                     \
      __m128i v = LOAD(bytes + count - 16);                                                \
      unsigned mask = (unsigned)_mm_movemask_epi8(mask_expression) >> (i + 16 - count);    \
      return mask ? i + (size_t)__builtin_ctz(mask) : count;                               \
    }                                                                                      \
    while (i < count && !ends(bytes[i])) i++;                                              \
    return i;                                                                              \
  }
#else
#define SCAN(name, mask_expression, ends)                                                  \
  static inline size_t name(const uint8_t *bytes, size_t start, size_t count) {            \
    size_t i = start;                                                                      \
    while (i < count && !ends(bytes[i])) i++;                                              \
    return i < count ? i : count;                                                          \
  }
#endif

SCAN(scan_field_value,
     _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, ALL('\t')), BELOW(v, 0x20)), _mm_cmpeq_epi8(v, ALL(0x7f))),
     ends_field_value)
SCAN(scan_target, _mm_or_si128(_mm_or_si128(BELOW(v, 0x21), _mm_cmpeq_epi8(v, ALL(0x7f))), v), ends_target)
SCAN(scan_json,
     _mm_or_si128(_mm_or_si128(BELOW(v, 0x20), v),
                  _mm_or_si128(_mm_cmpeq_epi8(v, ALL('"')), _mm_cmpeq_epi8(v, ALL('\\')))),
     ends_json)
SCAN(scan_name, NOT(_mm_or_si128(LETTER_OR_DIGIT, IS('-'))), ends_name)
SCAN(scan_host, NOT(_mm_or_si128(LETTER_OR_DIGIT, ANY3(WITHIN(v, '-', 1), IS('_'), IS('~')))), ends_host)
SCAN(scan_path,
     _mm_or_si128(ANY3(ANY3(NOT_VISIBLE, WITHIN(v, '"', 1), IS('%')), ANY3(IS('.'), IS_PAIR('>'), IS('?')), IS('`')),
                  ANY3(IS_PAIR('^'), IS('{'), IS_PAIR(0x7f))),
     ends_path)
SCAN(scan_query, _mm_or_si128(ANY3(NOT_VISIBLE, WITHIN(v, '"', 1), IS_PAIR('>')), IS(0x7f)), ends_query)

#endif
