// Twins of src/num/transcendental.rs: logarithm, exponential and angle in double precision as fixed sequences of + - * / and
// square roots. The series
// and their errors are given there.
#pragma once
#include "gpu.cuh"

namespace num::transcendental {

constexpr double LN_2_HIGH = 0.6931471803691238, LN_2_LOW = 1.9082149292705877e-10;

// 2 artanh(s) for |s| <= 0.172.
__device__ __forceinline__ double twice_artanh(double s) {
    const double t = s * s;
    double p = 1.0 / 23.0;
#pragma unroll
    for (int n = 21; n >= 3; n -= 2) p = p * t + 1.0 / (double)n;
    return 2.0 * s + 2.0 * s * (t * p);
}

__device__ __forceinline__ double ln(double x) {
    constexpr uint64_t SQRT_HALF = 0x3FE6A09E667F3BCDull;
    const uint64_t shifted = (uint64_t)__double_as_longlong(x) - SQRT_HALF;
    const double e = (double)((int64_t)shifted >> 52);
    const double m = __longlong_as_double((long long)((shifted & 0x000FFFFFFFFFFFFFull) + SQRT_HALF));
    return e * LN_2_HIGH + (twice_artanh((m - 1.0) / (m + 1.0)) + e * LN_2_LOW);
}

__device__ __forceinline__ double ln_1p(double x) { return fabs(x) < 0.25 ? twice_artanh(x / (2.0 + x)) : ln(1.0 + x); }

__device__ __forceinline__ double exp(double x) {
    constexpr double ROUND = 6755399441055744.0, LOG2_E = 1.44269504088896340736;
    const double bounded = x < -700.0 ? -700.0 : x;
    const double shifted = bounded * LOG2_E + ROUND;
    const double n = shifted - ROUND;
    const double r = (bounded - n * LN_2_HIGH) - n * LN_2_LOW;
    double p = 1.0 / 14.0;
#pragma unroll
    for (int k = 13; k >= 2; --k) p = (1.0 + r * p) * (1.0 / (double)k);
    const uint64_t power = ((uint64_t)__double_as_longlong(shifted) << 52) + 0x3FF0000000000000ull;
    return x < -700.0 ? 0.0 : (1.0 + (r + r * (r * p))) * __longlong_as_double((long long)power);
}

// Of the point (x, y), y >= 0, other than the origin.
__device__ __forceinline__ double angle(double y, double x) {
    const double length = sqrt(x * x + y * y);
    const double half = y / (length + fabs(x));
    const double quarter = half / (1.0 + sqrt(1.0 + half * half));
    const double eighth = quarter / (1.0 + sqrt(1.0 + quarter * quarter));
    const double t = eighth * eighth;
    double p = 1.0 / 23.0;
#pragma unroll
    for (int n = 21; n >= 3; n -= 2) p = 1.0 / (double)n - p * t;
    const double angle = 8.0 * (eighth - eighth * (t * p));
    return x < 0.0 ? 3.14159265358979323846 - angle : angle;
}

}  // namespace num::transcendental
