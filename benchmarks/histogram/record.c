/* What HdrHistogram's record costs without JavaScript: its algorithm as HdrHistogram_c has it (index by leading
 * zeros, range check, normalised index, 64-bit count, total, minimum and maximum), one call per value. Our own
 * translation: Debian has no package of the library itself. With -DREAL, and hdr_histogram.c compiled along, it
 * is the library. Prints nanoseconds per record, best of 15 windows. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef REAL
#include "hdr_histogram.h"
#define CREATE struct hdr_histogram *h = 0; hdr_init(1, 3600000000000, 3, &h)
#define RECORD(value) hdr_record_value(h, value)
#define TOTAL h->total_count
#else
typedef struct {
  int32_t unit_magnitude, sub_bucket_half_count_magnitude, sub_bucket_half_count;
  int64_t sub_bucket_mask;
  int32_t counts_len, normalizing_index_offset;
  int64_t min_value, max_value, total_count;
  int64_t *counts;
} histogram;

static int32_t index_for(const histogram *h, int64_t value) {
  int32_t pow2 = 64 - __builtin_clzll((uint64_t)(value | h->sub_bucket_mask));
  int32_t bucket = pow2 - h->unit_magnitude - (h->sub_bucket_half_count_magnitude + 1);
  int32_t sub = (int32_t)(value >> (bucket + h->unit_magnitude));
  return ((bucket + 1) << h->sub_bucket_half_count_magnitude) + sub - h->sub_bucket_half_count;
}

/* Two calls, as in the shared library: record_value is record_values of one, and neither may be inlined there. */
__attribute__((noinline)) int record_values(histogram *h, int64_t value, int64_t count) {
  if (value < 0) return 0;
  int32_t index = index_for(h, value);
  if (index < 0 || index >= h->counts_len) return 0;
  int32_t at = h->normalizing_index_offset == 0 ? index : (index - h->normalizing_index_offset) % h->counts_len;
  h->counts[at] += count;
  h->total_count += count;
  if (value != 0 && value < h->min_value) h->min_value = value;
  if (value > h->max_value) h->max_value = value;
  return 1;
}
__attribute__((noinline)) int record(histogram *h, int64_t value) { return record_values(h, value, 1); }
#define CREATE histogram h = {0, 10, 1024, 2047, 33792, 0, INT64_MAX, 0, 0, calloc(33792, 8)}
#define RECORD(value) record(&h, value)
#define TOTAL h.total_count
#endif

int main(void) {
  enum { COUNT = 65536 };
  static int64_t values[COUNT];
  CREATE;
  uint64_t state = 7;
  for (int i = 0; i < COUNT; i++) {
    double u[2];
    for (int k = 0; k < 2; k++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      u[k] = ((state >> 11) + 0.5) / 9007199254740992.0;
    }
    values[i] = (int64_t)exp(log(20000) + sqrt(-2 * log(u[0])) * cos(6.283185307179586 * u[1]));
  }
  double best = 1e9;
  for (int window = 0; window < 15; window++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int r = 0; r < 40; r++)
      for (int i = 0; i < COUNT; i++) RECORD(values[i]);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double ns = ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec)) / (40.0 * COUNT);
    if (ns < best) best = ns;
  }
  printf("%.3f\n", best);
  return TOTAL == 0;
}
