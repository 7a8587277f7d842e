// Twin of src/num/single.rs: sine and cosine of a float to the bits of glibc's sinf and cosf. The method is explained there.
#pragma once
#include "num.cuh"

namespace num {

namespace single_precision {

constexpr double HALF_PI = 1.57079632679489661923;

// The bits of 2/pi behind 24 zeros.
__device__ const uint8_t TWO_OVER_PI[27] = {
    0,    0,    0,    0xa2, 0xf9, 0x83, 0x6e, 0x4e, 0x44, 0x15, 0x29, 0xfc, 0x27, 0x57,
    0xd1, 0xf5, 0x34, 0xdd, 0xc0, 0xdb, 0x62, 0x95, 0x99, 0x3c, 0x43, 0x90, 0x41,
};

// Of an angle from 120 on. Hardly ever called, so it stands apart.
static __device__ __noinline__ double reduce_large(float angle, int32_t& quarters) {
    const uint32_t bits = __float_as_uint(angle), start = bits >> 26 & 15;
    const auto word = [&](uint32_t at) {
        const uint8_t* b = TWO_OVER_PI + start + at;
        return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    };
    const uint32_t mantissa = ((bits & 0xffffffu) | 0x800000u) << (bits >> 23 & 7);
    const uint64_t first = mantissa * word(0), second = (uint64_t)mantissa * word(4), third = (uint64_t)mantissa * word(8);
    const uint64_t sum = (third >> 32 | first << 32) + second, quarter = (sum + (1ull << 61)) >> 62;
    const double x = (double)(int64_t)(sum - (quarter << 62)) * (HALF_PI / (double)(1ull << 62));
    quarters = angle < 0.0f ? -(int32_t)quarter : (int32_t)quarter;
    return angle < 0.0f ? -x : x;
}

__device__ __forceinline__ void sin_cos(float angle, float& sin, float& cos) {
    // pi/2: its upper 43 bits, and the others.
    constexpr double TURNS = 10680707.430881744, HIGH = 0x1.921fb54442cp0, LOW = HALF_PI - HIGH;
    const uint32_t size = (__float_as_uint(angle) & 0x7fffffffu) >> 20;
    double x = angle;
    int32_t quarter = 0;
    if (size < 0x398) {  // 1/4096
        sin = angle;
        cos = 1.0f;
        return;
    }
    if (size >= 0x42f) {  // 120
        if (!is_finite(angle)) {
            sin = cos = NaN;
            return;
        }
        x = reduce_large(angle, quarter);
    } else if (size >= 0x3f4) {  // pi/4
        quarter = ((int32_t)(x * TURNS) + 0x800000) >> 24;
        const double n = quarter;
        x = (x - n * HIGH) - n * LOW;
    }
    const double s = x * x, cubed = x * s, fourth = s * s;
    const double a = (x + cubed * -0.16666654943701084) + (cubed * s) * (0.008332178146138854 + s * -0.00019517298981385725);
    const double b = ((1.0 + s * -0.49999999725108224) + fourth * 0.041666623324344516) +
                     (fourth * s) * (-0.001388676379437604 + s * 2.4390450703564542e-05);
    quarter_turns((float)a, (float)b, (uint32_t)quarter, sin, cos);
}

}  // namespace single_precision

}  // namespace num
