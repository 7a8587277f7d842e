// Twin of src/num/double.rs: sine and cosine in double precision to the bits of glibc's. The method is explained there.
#pragma once
#include "num.cuh"

namespace num {

namespace double_precision {

constexpr double ROUND_TO_ROW = 52776558133248.0, ROUND = 6755399441055744.0;

// sin(k/128), what the double lacks of it, cos(k/128), and what that lacks.
struct __align__(16) Line {
    double sin, sin_rest, cos, cos_rest;
};

__device__ const Line LINES[128] = {
#include "sines.h"
};

struct Reduced {
    double angle, rest;
    uint32_t quarters;
};

__device__ __forceinline__ Reduced reduce(double x) {
    const double size = fabs(x);
    if (size < 0.85546875) return {x, 0.0, 0};
    if (size < 0x1.368fdp1) {
        const double half_pi = copysign(1.5707963267948966, x), lacking = copysign(6.123233995736766e-17, x);
        const double near = x - half_pi, angle = near - lacking;
        return {angle, (near - angle) - lacking, x < 0.0 ? 3u : 1u};
    }
    constexpr double FIRST = 0x1.921fb58p0, SECOND = -0x1.dde973cp-27, THIRD = -0x1.cb3b398p-55,
                     FOURTH = -0x1.d747f23e32ed7p-83;
    const double shifted = fma(x, 0.6366197723675814, ROUND), n = shifted - ROUND;
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

}  // namespace double_precision

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
