// Twins of src/num/double.rs and square.rs: sine, cosine and square in double precision to the bits of glibc's. The methods are
// explained there.
#pragma once
#include "num.cuh"
#include "tables.h"

namespace num {

namespace double_precision {

constexpr double ROUND_TO_ROW = 52776558133248.0, ROUND = 6755399441055744.0;

// sin(k/128), what the double lacks of it, cos(k/128), and what that lacks.
struct __align__(16) Line {
    double sin, sin_rest, cos, cos_rest;
};

__device__ const Line LINES[128] = {SINES};

struct Reduced {
    double angle, rest;
    uint32_t quarters;
};

__device__ __forceinline__ Reduced reduce(double x) {
    constexpr double FIRST = 0x1.921fb58p0, SECOND = -0x1.dde973cp-27, THIRD = -0x1.cb3b398p-55,
                     FOURTH = -0x1.d747f23e32ed7p-83;
    const double size = fabs(x);
    if (size < 0x1.b6p-1) return {x, 0.0, 0};
    const double shifted = size < 0x1.368fdp1 ? ROUND + copysign(1.0, x) : fma(x, 0.6366197723675814, ROUND);
    const double n = shifted - ROUND;
    const double y = fma(n, -SECOND, fma(n, -FIRST, x)), z = fma(n, -THIRD, y);
    const double rest = fma(n, -THIRD, y - z), angle = fma(n, -FOURTH, z);
    return {angle, rest + fma(n, -FOURTH, z - angle), (uint32_t)__double_as_longlong(shifted)};
}

// The row next to |x|, and how far |x| is from it.
__device__ __forceinline__ Line nearest_line(double x, double& away) {
    const double shifted = ROUND_TO_ROW + fabs(x);
    away = fabs(x) - (shifted - ROUND_TO_ROW);
    return LINES[__double_as_longlong(shifted) & 127];
}

// Of a small x: x^3, what it is multiplied with in sin x = x + ..., and 1 - cos x.
struct Series {
    double cube, factor, versed;

    __device__ __forceinline__ explicit Series(double x) {
        const double xx = x * x;
        cube = x * xx;
        factor = fma(xx, 8.333332142857223e-3, -0.16666666666666488);
        versed = xx * fma(xx, fma(xx, 1.388888740079376e-3, -0.04166666666666644), 0.5);
    }
};

__device__ __forceinline__ double sine(double x, double rest) {
    const double xx = x * x;
    double p = fma(xx, -2.50220148483184e-8, 2.755729806860771e-6);
    p = fma(xx, p, -1.9841269834414642e-4);
    p = fma(xx, p, 8.333333333332329e-3);
    p = fma(xx, p, -0.16666666666666666);
    const double small = x + fma(xx, fma(p, x, -(0.5 * rest)), rest);

    double r;
    const Line line = nearest_line(x, r);
    rest = x > 0.0 ? rest : -rest;
    const Series series(r);
    const double s = r + fma(series.cube, series.factor, rest), c = fma(r, rest, series.versed);
    double sum = fma(line.cos_rest, s, line.sin_rest);
    sum = fma(c, -line.sin, sum);
    sum = fma(s, line.cos, sum);
    return copysign(fabs(x) < 0.126 ? small : line.sin + sum, x);
}

__device__ __forceinline__ double cosine(double x, double rest) {
    double r;
    const Line line = nearest_line(x, r);
    r = r + (x < 0.0 ? -rest : rest);
    const Series series(r);
    const double s = fma(series.cube, series.factor, r);
    double sum = fma(s, -line.sin_rest, line.cos_rest);
    sum = fma(series.versed, -line.cos, sum);
    sum = fma(s, -line.sin, sum);
    return line.cos + sum;
}

// A short number near the reciprocal of an interval's middle, minus its logarithm, and what that lacks.
struct Interval {
    double reciprocal, log, rest;
};

__device__ const Interval INTERVALS[128] = {LOGARITHMS};

// What the double lacks of 2^(i/128), and its bits without what the index adds to the exponent.
struct __align__(16) Power {
    double lacking;
    uint64_t bits;
};

__device__ const Power TWO_TO[128] = {POWERS};

__device__ __forceinline__ double as_double(uint64_t bits) { return __longlong_as_double((long long)bits); }
__device__ __forceinline__ uint64_t as_bits(double x) { return (uint64_t)__double_as_longlong(x); }

// ln x, and what that lacks, of a positive x.
__device__ __forceinline__ double logarithm(double x, double& lacking) {
    constexpr double HIGH = 0.6931471805598903, LOW = 5.497923018708371e-14;
    const uint64_t above = as_bits(x) - 0x3FE6955500000000ull;
    const double k = (double)(int32_t)((int64_t)above >> 52);
    const double z = as_double(as_bits(x) - (above & 0xFFFull << 52));
    const Interval interval = INTERVALS[above >> 45 & 127];
    const double r = fma(z, interval.reciprocal, -1.0);
    const double whole = fma(k, HIGH, interval.log);
    const double first = whole + r, first_rest = (whole - first) + r;
    const double half = -0.5 * r, second = r * half;
    const double sum = first + second, sum_rest = (first - sum) + second;
    const double second_rest = fma(half, r, -second);
    double p = fma(r, 1.0000415263675542, -1.142909628459501);
    p = fma(p, second, fma(r, -0.6666666663487739, 0.7999999995323976));
    p = fma(second, p, fma(r, 0.5000000000000007, -0.6666666666666679));
    double rest = fma(k, LOW, interval.rest) + first_rest + second_rest + sum_rest;
    rest = fma(r * second, p, rest);
    const double log = sum + rest;
    lacking = (sum - log) + rest;
    return log;
}

// e^(x + rest), x not too far from 0.
__device__ __forceinline__ double exponential(double x, double rest) {
    const double shifted = fma(x, 184.6649652337873, ROUND), n = shifted - ROUND;
    const double r = fma(n, -1.2864023111638346e-14, fma(n, -0.005415212348111709, x)) + rest;
    const Power power = TWO_TO[as_bits(shifted) & 127];
    const double scale = as_double(power.bits + (as_bits(shifted) << 45)), rr = r * r;
    double p = fma(fma(r, 0.16666666666665886, 0.49999999999996786), rr, r + power.lacking);
    p = fma(fma(r, 8.333335853059549e-3, 0.0416666808410674), rr * rr, p);
    return fma(scale, p, scale);
}

}  // namespace double_precision

__device__ __forceinline__ double square(double x) {
    namespace in = double_precision;
    const double size = fabs(x);
    if (!(size > 0x1p-300 && size < 0x1p300)) return x * x;
    double rest;
    const double log = in::logarithm(size, rest);
    return in::exponential(2.0 * log, 2.0 * rest);
}

__device__ __forceinline__ float square(float x) { return x * x; }

__device__ __forceinline__ void sin_cos(double x, double& sin, double& cos) {
    namespace in = double_precision;
    const in::Reduced r = in::reduce(x);
    const double a = in::sine(r.angle, r.rest), b = in::cosine(r.angle, r.rest);
    const bool odd = r.quarters & 1;
    sin = odd ? b : a;
    cos = odd ? a : b;
    if (r.quarters & 2) sin = -sin;
    if ((r.quarters + 1) & 2) cos = -cos;
}

}  // namespace num
