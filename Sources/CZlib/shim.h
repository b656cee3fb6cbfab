#include <zlib.h>

/* Macros, which are not imported. 32: gzip or zlib, by what the bytes say; 16: gzip. */
static inline int cz_inflate_begin(z_stream *stream) { return inflateInit2(stream, 15 + 32); }
static inline int cz_deflate_begin(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
