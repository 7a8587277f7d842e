// Twin of src/num.rs: the elementary functions of exact mode as fixed sequences of IEEE operations. The sources of the
// polynomials and their errors are given there. Compiled without contraction; fmaf where one rounding is meant.
#pragma once
#include "ptx.cuh"

namespace num {

// tanh(x / 2^HALVINGS) 2^HALVINGS: scaling by powers of two changes no rounding, so halving x costs nothing.
template <int HALVINGS>
__device__ __forceinline__ float scaled_tanh(float x) {
    constexpr float SCALE = 1 << HALVINGS, S = 1.0f / (SCALE * SCALE), S2 = S * S, S3 = S2 * S, S4 = S2 * S2;
    x = ptx::clamp(x, 8.3f * SCALE);
    const float s = x * x;
    float p = fmaf(s, S4 * 1.4648307e-8f, S3 * 2.1508532e-5f);
    p = fmaf(s, p, S2 * 3.549171e-3f);
    p = fmaf(s, p, S * 0.13425872f);
    p = fmaf(s, p, 1.0f);
    float q = fmaf(s, S4 * 8.295128e-7f, S3 * 3.373954e-4f);
    q = fmaf(s, q, S2 * 0.026079958f);
    q = fmaf(s, q, S * 0.46759197f);
    q = fmaf(s, q, 1.0f);
    // x p / q, correctly rounded (Markstein 1990). 1 <= q < 286, so nothing overflows, and where the remainder might be too
    // small q is 1. src/num.rs tests it over x, for reciprocals off by up to two places.
    const float numerator = x * p, close = ptx::reciprocal_approx(q);
    const float reciprocal = fmaf(fmaf(-q, close, 1.0f), close, close);
    const float quotient = numerator * reciprocal;
    return fmaf(fmaf(-q, quotient, numerator), reciprocal, quotient);
}

__device__ __forceinline__ float tanh(float x) { return scaled_tanh<0>(x); }

__device__ __forceinline__ float sigmoid(float x) { return fmaf(scaled_tanh<1>(x), 0.25f, 0.5f); }

constexpr float ROUND = 12582912.0f;

__device__ __forceinline__ float exp(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    const float shifted = fmaf(x, 1.44269504f, ROUND);
    const float n = shifted - ROUND;
    float r = fmaf(n, -0.6933594f, x);
    r = fmaf(n, 2.1219444e-4f, r);
    float p = fmaf(r, 1.3814544e-3f, 8.368715e-3f);
    p = fmaf(r, p, 0.04166839f);
    p = fmaf(r, p, 0.16666521f);
    p = fmaf(r, p, 0.49999994f);
    const float e = fmaf(r * r, p, r) + 1.0f;
    return e * __uint_as_float((__float_as_uint(shifted) << 23) + 0x3f800000u);
}

__device__ __forceinline__ float selu(float x) {
    const float negative = 1.7580993f * (exp(x) - 1.0f);
    return x > 0.0f ? 1.050701f * x : negative;
}

__device__ __forceinline__ float ln(float x) {
    constexpr uint32_t SQRT_HALF_BITS = 0x3f3504f3u;
    const uint32_t shifted = __float_as_uint(x) - SQRT_HALF_BITS;
    const float e = (float)((int32_t)shifted >> 23);
    const float m = __uint_as_float((shifted & 0x007fffffu) + SQRT_HALF_BITS);
    const float f = m - 1.0f;
    float p = fmaf(f, -0.07634582f, 0.12761723f);
    p = fmaf(f, p, -0.1316022f);
    p = fmaf(f, p, 0.14201741f);
    p = fmaf(f, p, -0.16623352f);
    p = fmaf(f, p, 0.20001227f);
    p = fmaf(f, p, -0.25000823f);
    p = fmaf(f, p, 0.3333333f);
    const float s = f * f;
    float tail = fmaf(s * f, p, -0.5f * s);
    tail = fmaf(e, -2.1219444e-4f, tail);
    return fmaf(e, 0.6933594f, f + tail);
}

// Sine and cosine of an angle that is so many quarter turns further.
__device__ __forceinline__ void quarter_turns(float a, float b, uint32_t quarters, float& sin, float& cos) {
    const bool odd = quarters & 1;
    sin = __uint_as_float(__float_as_uint(odd ? b : a) ^ ((quarters & 2) << 30));
    cos = __uint_as_float(__float_as_uint(odd ? a : b) ^ (((quarters + 1) & 2) << 30));
}

__device__ __forceinline__ void sin_cos_pi(float t, float& sin, float& cos) {
    const float shifted = fmaf(t, 2.0f, ROUND);
    const uint32_t quadrant = __float_as_uint(shifted);
    const float r = fmaf(shifted - ROUND, -0.5f, t);
    const float s = r * r;
    float a = fmaf(s, -0.5890122f, 2.549761f);
    a = fmaf(s, a, -5.167708f);
    a = fmaf(s, a, 3.14159274f);
    a = r * a;
    float b = fmaf(s, 0.23126091f, -1.3350359f);
    b = fmaf(s, b, 4.058707f);
    b = fmaf(s, b, -4.934802f);
    b = fmaf(s, b, 1.0f);
    quarter_turns(a, b, quadrant, sin, cos);
}

__device__ __forceinline__ void sin_cos(float x, float& sin, float& cos) {
    const float shifted = fmaf(x, 0.636619747f, ROUND);
    const float n = shifted - ROUND;
    float r = fmaf(n, -1.57079637f, x);
    r = fmaf(n, 4.371139e-8f, r);
    const float s = r * r;
    float a = fmaf(s, -1.9517235e-4f, 8.332178e-3f);
    a = fmaf(s, a, -0.16666655f);
    a = fmaf(r * s, a, r);
    float b = fmaf(s, 2.443838e-5f, -1.3887367e-3f);
    b = fmaf(s, b, 0.041666646f);
    b = fmaf(s * s, b, fmaf(s, -0.5f, 1.0f));
    quarter_turns(a, b, __float_as_uint(shifted), sin, cos);
}

__device__ __forceinline__ float cos(float x) {
    float sine, cosine;
    sin_cos_pi(x * 0.318309886f, sine, cosine);
    return cosine;
}

__device__ __forceinline__ float clip_unit(float x) {
    x = x < 0.0f ? 0.0f : x;
    return x > 1.0f ? 1.0f : x;
}

}  // namespace num
