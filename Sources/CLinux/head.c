// Recognises the common lines of an HTTP/1.1 head in one pass, for the decoder in the HTTP module.
//
// Every function says yes only to what is right in each byte by RFC 9112, and leaves the rest, incomplete, odd and
// wrong alike, to the decoder, which judges it piece by piece. So what is refused and why is written down once, there.
#include "clinux.h"

#include <string.h>

#include "scan.h"

// Letters fold to lower case by a bit that digits and '-' have already: exact for plain names.
#define FOLD 0x2020202020202020ull

struct ends {
  uint64_t first, last;
};

// The first and last eight bytes of a name, folded; of a shorter one its bytes, and nothing.
static inline struct ends ends_of(const uint8_t *name, size_t length, size_t readable) {
  struct ends ends = {0, 0};
  if (length >= 8) {
    memcpy(&ends.first, name, 8);
    memcpy(&ends.last, name + length - 8, 8);
  } else if (readable >= 8) {
    memcpy(&ends.first, name, 8);
    ends.first &= (1ull << (length * 8)) - 1;
  } else {
    for (size_t i = 0; i < length; i++) ends.first |= (uint64_t)name[i] << (i * 8);
  }
  ends.first |= FOLD;
  ends.last |= FOLD;
  return ends;
}

static inline size_t slot_of(struct ends ends, size_t length) {
  uint64_t mixed = (ends.first ^ (ends.last * 0x9e3779b97f4a7c15ull)) + length;
  return (size_t)(mixed * 0xe7037ed1a0b428dbull >> 56);
}

void cl_names_add(struct cl_names *names, const uint8_t *text, size_t length, uint8_t number) {
  struct ends ends = ends_of(text, length, length);
  size_t index = slot_of(ends, length);
  while (names->slots[index].length) index = (index + 1) & 255;
  struct cl_name *slot = &names->slots[index];
  slot->first = ends.first;
  slot->last = ends.last;
  slot->length = (uint8_t)length;
  slot->number = number;
  for (size_t i = 0; i < length; i++) slot->text[i] = text[i] | 0x20;
}

static inline uint8_t find(const struct cl_names *names, const uint8_t *name, size_t length, size_t readable) {
  struct ends ends = ends_of(name, length, readable);
  for (size_t index = slot_of(ends, length);; index = (index + 1) & 255) {
    const struct cl_name *slot = &names->slots[index];
    if (slot->length == 0) return 0;
    if (slot->first != ends.first || slot->last != ends.last || slot->length != length) continue;
    // The ends are all of a name up to sixteen bytes.
    size_t i = 8;
    while (i + 8 < length && (name[i] | 0x20) == slot->text[i]) i++;
    if (i + 8 >= length) return slot->number;
  }
}

uint8_t cl_names_find(const struct cl_names *names, const uint8_t *name, size_t length) {
  return length == 0 || length > CL_NAME_MAX ? 0 : find(names, name, length, length);
}

size_t cl_field_lines(const uint8_t *bytes, size_t start, size_t count, const struct cl_names *names,
                      struct cl_fields *out) {
  uint64_t present = out->present, repeated = out->repeated;
  size_t stored = out->count;
  while (stored < out->capacity && start < count && bytes[start] != '\r') {
    size_t name_end = scan_name(bytes, start, count), length = name_end - start;
    if (length == 0 || length > 255 || name_end >= count || bytes[name_end] != ':') break;
    size_t value_start = name_end + 1;
    if (value_start < count && bytes[value_start] == ' ') value_start++;
    size_t line_end = scan_field_value(bytes, value_start, count), value_end = line_end;
    if (line_end + 2 > count || bytes[line_end] != '\r' || bytes[line_end + 1] != '\n') break;
    // White space around the value; the CR behind it stops the first loop.
    while (bytes[value_start] == ' ' || bytes[value_start] == '\t') value_start++;
    while (value_end > value_start && (bytes[value_end - 1] == ' ' || bytes[value_end - 1] == '\t')) value_end--;

    uint8_t number = length > CL_NAME_MAX ? 0 : find(names, bytes + start, length, count - start);
    uint64_t bit = 1ull << number;
    uint8_t flags = out->flagged & bit ? out->flag : 0;
    // Number 0 stands for all other names: of them nothing is noted.
    repeated |= present & bit;
    present |= bit & ~1ull;
    out->flagged_count += flags != 0;
    out->fields[stored++] = (struct cl_field){(uint32_t)start,       (uint16_t)length,
                                              number,                flags,
                                              (uint32_t)value_start, (uint32_t)(value_end - value_start)};
    start = line_end + 2;
  }
  out->present = present;
  out->repeated = repeated;
  out->count = stored;
  return start;
}

static inline uint64_t word(const uint8_t *bytes) {
  uint64_t word;
  memcpy(&word, bytes, 8);
  return word;
}

// "HTTP/1.0" as a little-endian number; the minor version is its last byte.
#define HTTP_1_0 0x302e312f50545448ull

int cl_request_line(const uint8_t *bytes, size_t start, size_t count, struct cl_request_line *line) {
  if (count < start + 16) return 0;
  size_t method_end = bytes[start + 3] == ' ' && memcmp(bytes + start, "GET", 3) == 0 ? start + 3
                                                                                     : scan_name(bytes, start, count);
  size_t length = method_end - start;
  if (length == 0 || length > 24 || method_end + 1 >= count || bytes[method_end] != ' ') return 0;
  size_t path = method_end + 1;
  if (bytes[path] != '/') return 0;
  size_t path_end = scan_path(bytes, path, count);
  // A dot is plain but where a dot segment may begin.
  while (path_end < count && bytes[path_end] == '.' && bytes[path_end - 1] != '/')
    path_end = scan_path(bytes, path_end + 1, count);
  if (path_end >= count || scan_slashes(bytes, path, path_end, count) < path_end) return 0;
  int has_query = bytes[path_end] == '?';
  size_t target_end = has_query ? scan_query(bytes, path_end + 1, count) : path_end;
  if (target_end + 11 > count || bytes[target_end] != ' ') return 0;
  uint64_t minor = (word(bytes + target_end + 1) ^ HTTP_1_0) >> 56;
  if (minor > 1 || (word(bytes + target_end + 1) ^ HTTP_1_0) << 8) return 0;
  if (bytes[target_end + 9] != '\r' || bytes[target_end + 10] != '\n') return 0;
  line->method = length > 7 ? 0 : word(bytes + start) & ((1ull << (length * 8)) - 1);
  line->method_end = (uint32_t)method_end;
  line->path_end = (uint32_t)path_end;
  line->target_end = (uint32_t)target_end;
  line->end = (uint32_t)target_end + 11;
  line->minor_version = (uint8_t)minor;
  line->has_query = (uint8_t)has_query;
  return 1;
}

int cl_status_line(const uint8_t *bytes, size_t count, struct cl_status_line *line) {
  if (count < 16) return 0;
  uint64_t minor = (word(bytes) ^ HTTP_1_0) >> 56;
  if (minor > 1 || (word(bytes) ^ HTTP_1_0) << 8 || bytes[8] != ' ' || bytes[12] != ' ') return 0;
  unsigned hundreds = bytes[9] - '0', tens = bytes[10] - '0', ones = bytes[11] - '0';
  if (hundreds < 1 || hundreds > 5 || tens > 9 || ones > 9) return 0;
  size_t end = scan_field_value(bytes, 13, count);
  if (end + 2 > count || bytes[end] != '\r' || bytes[end + 1] != '\n') return 0;
  line->status = (uint16_t)(hundreds * 100 + tens * 10 + ones);
  line->minor_version = (uint8_t)minor;
  line->end = (uint32_t)end + 2;
  return 1;
}
