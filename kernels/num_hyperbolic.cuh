// Twin of src/num/hyperbolic.rs: tanh in double precision to the bits of glibc's. The method is explained there.
#pragma once
#include "num_double.cuh"

namespace num {

namespace double_precision {

__device__ __forceinline__ double expm1(double x) {
    constexpr double LN2_HIGH = 6.931471803691238e-1, LN2_LOW = 1.9082149292705877e-10, LOG2_E = 1.44269504088896340736;
    const uint32_t size = (uint32_t)(as_bits(x) >> 32) & 0x7fffffffu;
    if (x < 0.0 && size >= 0x4043687au) return -1.0;
    double c = 0.0;
    int32_t k = 0;
    if (size > 0x3fd62e42u) {
        double high, low;
        if (size < 0x3ff0a2b2u) {
            k = x > 0.0 ? 1 : -1;
            high = x > 0.0 ? x - LN2_HIGH : x + LN2_HIGH;
            low = x > 0.0 ? LN2_LOW : -LN2_LOW;
        } else {
            k = (int32_t)(LOG2_E * x + (x < 0.0 ? -0.5 : 0.5));
            high = fma(-(double)k, LN2_HIGH, x);
            low = k * LN2_LOW;
        }
        x = high - low;
        c = (high - x) - low;
    }
    const double half = 0.5 * x, square = x * half, squared = square * square, fourth = squared * squared;
    const double r1 = fma(square, -3.333333333333313e-2, 1.0);
    const double r2 = fma(square, -7.93650757867488e-5, 1.5873015872548146e-3);
    const double r3 = fma(square, -2.0109921818362437e-7, 4.008217827329362e-6);
    const double r = fma(fourth, r3, fma(squared, r2, r1));
    const double t = fma(-r, half, 3.0);
    double e = square * ((r - t) / fma(-x, t, 6.0));
    if (k == 0) return x - fma(x, e, -square);
    e = fma(x, e - c, -c) - square;
    const auto power = [](int32_t k) { return as_double((uint64_t)(1023 + k) << 52); };
    const auto scaled = [](double y, int32_t k) { return as_double(as_bits(y) + ((uint64_t)(int64_t)k << 52)); };
    if (k == -1) return 0.5 * (x - e) - 0.5;
    if (k == 1) return x < -0.25 ? -2.0 * (e - (x + 0.5)) : 1.0 + 2.0 * (x - e);
    if (k <= -2 || k >= 57) return scaled(1.0 - (e - x), k) - 1.0;
    if (k < 20) return scaled((1.0 - power(-k)) - (e - x), k);
    return scaled((x - (e + power(-k))) + 1.0, k);
}

}  // namespace double_precision

__device__ __forceinline__ double tanh(double x) {
    const double size = fabs(x);
    if (size < 1.0 / (double)(1ull << 55) || x != x) return x;
    double tanh = 1.0;
    if (size < 22.0) {
        const bool large = size >= 1.0;
        const double t = double_precision::expm1(large ? 2.0 * size : -2.0 * size);
        tanh = large ? 1.0 - 2.0 / (t + 2.0) : -t / (t + 2.0);
    }
    return copysign(tanh, x);
}

}  // namespace num
