// Binomial numbers of more trials than there are tables for, twin of src/synaptogen/growth/binomial.rs, where the algorithms
// and their sources are.
#pragma once
#include "num_transcendental.cuh"
#include "rng.cuh"

namespace binomial {

namespace exact = num::transcendental;

// Of one draw: blocks of Philox, told apart by the upper bits of the stream's word.
struct Words {
    uint4 counter;
    uint2 key;

    // Two uniforms in [0, 1) of 53 bits.
    __device__ __forceinline__ double2 uniforms() {
        const uint4 w = philox(counter, key);
        counter.w += 1u << 8;
        const auto uniform = [](uint32_t high, uint32_t low) {
            return (double)(((uint64_t)high << 32 | low) >> 11) / 9007199254740992.0;
        };
        return make_double2(uniform(w.x, w.y), uniform(w.z, w.w));
    }
};

// ln n! less Stirling's formula.
__device__ inline double stirling_error(uint32_t n) {
    switch (n) {
        case 1: return 0.08106146679532726;
        case 2: return 0.0413406959554093;
        case 3: return 0.02767792568499834;
        case 4: return 0.020790672103765093;
        case 5: return 0.016644691189821193;
        case 6: return 0.013876128823070748;
        case 7: return 0.01189670994589177;
        case 8: return 0.010411265261972096;
        case 9: return 0.009255462182712733;
        case 10: return 0.00833056343336287;
        case 11: return 0.007573675487951841;
        case 12: return 0.00694284010720953;
        case 13: return 0.006408994188004207;
        case 14: return 0.0059513701127588475;
        case 15: return 0.005554733551962801;
    }
    const double x = (double)n, t = 1.0 / (x * x);
    return (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - t / 1188.0) * t) * t) * t) / x;
}

// x ln(x / m) + m - x without cancellation.
__device__ inline double deviance(double x, double m) {
    if (fabs(x - m) >= 0.1 * (x + m)) return x * exact::ln(x / m) + m - x;
    const double v = (x - m) / (x + m), t = v * v;
    double p = 1.0 / 19.0;
#pragma unroll
    for (int n = 17; n >= 3; n -= 2) p = p * t + 1.0 / (double)n;
    return (x - m) * v + 2.0 * x * v * t * p;
}

// Probability of k of n, p at most 1/2.
__device__ inline double mass(uint32_t k, uint32_t n, double p) {
    constexpr double PI = 3.14159265358979323846;
    if (p == 0.0) return k == 0 ? 1.0 : 0.0;
    if (k == 0) return exact::exp((double)n * exact::ln_1p(-p));
    if (k == n) return exact::exp((double)n * exact::ln(p));
    const double x = (double)k, y = (double)(n - k), all = (double)n;
    const double logarithm = stirling_error(n) - stirling_error(k) - stirling_error(n - k) - deviance(x, all * p) -
                             deviance(y, all * (1.0 - p));
    return exact::exp(logarithm) * sqrt(all / (2.0 * PI * x * y));
}

__device__ inline uint32_t by_inversion(uint32_t n, double p, Words& words) {
    constexpr uint32_t MOST = 150;
    double left = words.uniforms().x;
    const double odds = p / (1.0 - p);
    double weight = exact::exp((double)n * exact::ln_1p(-p));
    uint32_t k = 0;
    while (left >= weight && k < (n < MOST ? n : MOST)) {
        left = left - weight;
        weight = weight * (odds * (double)(n - k) / (double)(k + 1));
        ++k;
    }
    return k;
}

__device__ inline uint32_t by_rejection(uint32_t trials, double p, Words& words) {
    const double n = (double)trials;
    const double sd = sqrt(n * p * (1.0 - p));
    const double b = 1.15 + 2.53 * sd, a = -0.0873 + 0.0248 * b + 0.01 * p;
    const double c = n * p + 0.5, v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * sd;
    const double at_mode = mass((uint32_t)((n + 1.0) * p), trials, p);
    for (;;) {
        const double2 drawn = words.uniforms();
        const double u = drawn.x - 0.5, v = drawn.y;
        const double us = 0.5 - fabs(u);
        const double k = floor((2.0 * a / us + b) * u + c);
        if (!(k >= 0.0 && k <= n)) continue;
        if (us >= 0.07 && v <= v_r) return (uint32_t)k;
        if (v * alpha / (a / (us * us) + b) * at_mode <= mass((uint32_t)k, trials, p)) return (uint32_t)k;
    }
}

// Of n trials of probability p in (0, 1). Not inlined: it is rare, and needs many registers.
__device__ __noinline__ uint32_t draw(uint32_t n, double p, Words words) {
    const bool is_of_failures = p > 0.5;
    p = is_of_failures ? 1.0 - p : p;
    const uint32_t k = (double)n * p < 10.0 ? by_inversion(n, p, words) : by_rejection(n, p, words);
    return is_of_failures ? n - k : k;
}

}  // namespace binomial
