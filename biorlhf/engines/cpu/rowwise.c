/* What a decoder layer does row by row, each in one pass over memory: on a CPU these passes, not their
 * arithmetic, are what such layers cost. All arrays are dense fp32, rows outermost; the formulas, and
 * torch's version of each, stand in rowwise.py. A row is summed by one thread, so that no number depends on
 * how many there are. */

#include <math.h>
#include <string.h>

/* exp(x) to 2 units in the last place, in a form that compilers vectorise (the polynomial is that of Cephes,
 * S. Moshier); x is held to [-87, 88], NaN stays NaN. */
static inline float exponential(float x) {
    x = x < -87 ? -87 : x > 88 ? 88 : x;
    const float n = rintf(x * 1.44269504f), r = x - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    const union { int i; float f; } power = {.i = ((int)n + 127) << 23};
    return (p * r * r + r + 1) * power.f;
}

#define EACH_ROW _Pragma("omp parallel for schedule(static)")

/* y = w x / sqrt(mean(x^2) + eps); inverse[row] = 1 / sqrt(...) */
void rms_norm(const float *x, const float *w, float eps, long rows, long width, float *y, float *inverse) {
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *a = x + i * width;
        float *b = y + i * width, sum = 0;
        for (long j = 0; j < width; j++) sum += a[j] * a[j];
        const float r = 1 / sqrtf(sum / width + eps);
        for (long j = 0; j < width; j++) b[j] = w[j] * (a[j] * r);
        inverse[i] = r;
    }
}

/* dx = r (w g - x r^2 mean(w g x)) */
void rms_norm_backward(const float *g, const float *x, const float *w, const float *inverse, long rows,
                       long width, float *dx) {
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *a = x + i * width, *b = g + i * width, r = inverse[i];
        float *c = dx + i * width, sum = 0;
        for (long j = 0; j < width; j++) sum += w[j] * b[j] * a[j];
        const float along = sum / width * r * r;
        for (long j = 0; j < width; j++) c[j] = r * (w[j] * b[j] - a[j] * along);
    }
}

/* y = silu(gate) up, silu(z) = z / (1 + exp(-z)); gate and up have `stride` floats from row to row. */
void swiglu(const float *gate, const float *up, long rows, long width, long stride, float *y) {
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *a = gate + i * stride, *b = up + i * stride;
        float *c = y + i * width;
        for (long j = 0; j < width; j++) c[j] = a[j] / (1 + exponential(-a[j])) * b[j];
    }
}

/* silu'(z) = s + z s (1 - s), s = 1 / (1 + exp(-z)) */
void swiglu_backward(const float *g, const float *gate, const float *up, long rows, long width, float *dgate,
                     float *dup) {
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *o = g + i * width, *a = gate + i * width, *b = up + i * width;
        float *c = dgate + i * width, *d = dup + i * width;
        for (long j = 0; j < width; j++) {
            const float s = 1 / (1 + exponential(-a[j])), silu = a[j] * s;
            c[j] = o[j] * b[j] * (s + silu * (1 - s));
            d[j] = o[j] * silu;
        }
    }
}

/* Rotary embedding of each head of a row: halves (a, b) -> (a cos - b sin, b cos + a sin), with the angles of
 * the row. turn is 1, or -1 for the way back. */
void rotate(const float *x, const float *cosine, const float *sine, long rows, long heads, long size, float turn,
            float *y) {
    const long half = size / 2;
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *c = cosine + i * size, *s = sine + i * size;
        for (long h = 0; h < heads; h++) {
            const float *a = x + (i * heads + h) * size, *b = a + half;
            float *p = y + (i * heads + h) * size, *q = p + half;
            for (long j = 0; j < half; j++) {
                p[j] = a[j] * c[j] - b[j] * (turn * s[j]);
                q[j] = b[j] * c[j] + a[j] * (turn * s[j]);
            }
        }
    }
}

/* In place: each row's softmax(scale x) over the keys first[query] <= j < end[query], and 0 elsewhere. The
 * rows are batch x repeats x queries x heads; first and end are batch x queries. */
void softmax_between(float *x, const int *first, const int *end, long batch, long repeats, long queries,
                     long heads, long width, float scale) {
    EACH_ROW
    for (long n = 0; n < batch * repeats * queries; n++) {
        const long query = n / (repeats * queries) * queries + n % queries;
        const long low = first[query], high = end[query];
        for (long h = 0; h < heads; h++) {
            float *a = x + (n * heads + h) * width, top = -INFINITY, sum = 0;
            _Pragma("omp simd reduction(max : top)")
            for (long j = low; j < high; j++) top = a[j] > top ? a[j] : top;
            for (long j = low; j < high; j++) {
                a[j] = exponential(scale * (a[j] - top));
                sum += a[j];
            }
            const float part = 1 / sum;
            for (long j = low; j < high; j++) a[j] *= part;
            memset(a, 0, low * sizeof(float));
            memset(a + high, 0, (width - high) * sizeof(float));
        }
    }
}

/* In place: g -> scale p (g - sum(p g)), the gradient of softmax(scale x) = p with respect to x. */
void softmax_backward(float *g, const float *p, long rows, long width, float scale) {
    EACH_ROW
    for (long i = 0; i < rows; i++) {
        const float *a = p + i * width;
        float *b = g + i * width, sum = 0;
        for (long j = 0; j < width; j++) sum += a[j] * b[j];
        for (long j = 0; j < width; j++) b[j] = scale * a[j] * (b[j] - sum);
    }
}
