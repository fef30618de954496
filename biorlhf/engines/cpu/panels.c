/* y = x W' for few rows x, as in sampling: W (outs x ins, fp32) is cut into panels of COLUMNS outputs that lie
 * in memory as they are read, and while a panel is used the next one is fetched. With 8 to 64 rows such a
 * product takes as long as W takes to arrive from memory, or its arithmetic, whichever is longer; libraries'
 * products take both. An output is summed by one thread in the order of ins. */

#include <string.h>

#ifdef __AVX512F__
#define LANES 16
#define ROWS 8 /* ROWS x VECTORS sums, VECTORS weights and a broadcast fit the registers */
#else
#define LANES 8
#define ROWS 4
#endif
#define VECTORS 3
#define COLUMNS (LANES * VECTORS)

typedef float vector __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

/* packed: ceil(outs / COLUMNS) panels of ins x COLUMNS, the last one filled up with zeros. */
void panel_columns(long *columns) { *columns = COLUMNS; }

void panel_pack(const float *weight, long outs, long ins, float *packed) {
#pragma omp parallel for schedule(static)
    for (long panel = 0; panel < (outs + COLUMNS - 1) / COLUMNS; panel++)
        for (long c = 0; c < COLUMNS; c++) {
            const long out = panel * COLUMNS + c;
            float *to = packed + panel * ins * COLUMNS + c;
            for (long k = 0; k < ins; k++) to[k * COLUMNS] = out < outs ? weight[out * ins + k] : 0;
        }
}

/* What of the next panel is fetched meanwhile: from where, floats per k, lines per k. */
struct ahead {
    const float *from;
    long step, lines;
};

static inline __attribute__((always_inline)) void block(const float *x, const float *panel, long ins, long outs,
                                                        long columns, struct ahead ahead, float *y,
                                                        const int rows) {
    vector sums[ROWS][VECTORS];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < VECTORS; v++) sums[r][v] = (vector){0};
    for (long k = 0; k < ins; k++) {
        vector w[VECTORS];
        for (int v = 0; v < VECTORS; v++) w[v] = *(const vector *)(panel + k * COLUMNS + v * LANES);
        for (long v = 0; v < ahead.lines; v++) __builtin_prefetch(ahead.from + k * ahead.step + v * LANES, 0, 2);
        for (int r = 0; r < rows; r++) {
            const float a = x[r * ins + k];
            for (int v = 0; v < VECTORS; v++) sums[r][v] += a * w[v];
        }
    }
    for (int r = 0; r < rows; r++) memcpy(y + r * outs, sums[r], columns * sizeof(float));
}

void panel_multiply(const float *x, const float *packed, long rows, long ins, long outs, float *y) {
    const long panels = (outs + COLUMNS - 1) / COLUMNS, blocks = (rows + ROWS - 1) / ROWS;
    const long step = COLUMNS / blocks, lines = (step + LANES - 1) / LANES;
#pragma omp parallel for schedule(static)
    for (long p = 0; p < panels; p++) {
        const float *panel = packed + p * ins * COLUMNS, *next = p + 1 < panels ? panel + ins * COLUMNS : panel;
        const long columns = p + 1 < panels ? COLUMNS : outs - p * COLUMNS;
        for (long i = 0; i < rows; i += ROWS) {
            const float *a = x + i * ins;
            float *b = y + i * outs + p * COLUMNS;
            const struct ahead ahead = {next + i / ROWS * ins * step, step, lines};
            switch (rows - i < ROWS ? rows - i : ROWS) {
#define CASE(n)                                                \
    case n:                                                    \
        block(a, panel, ins, outs, columns, ahead, b, n); \
        break;
                CASE(1) CASE(2) CASE(3) CASE(4)
#if ROWS == 8
                CASE(5) CASE(6) CASE(7) CASE(8)
#endif
            }
        }
    }
}
