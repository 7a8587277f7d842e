// Trials of synapses, twin of `trials` in src/synaptogen/growth/mod.rs.
#pragma once
#include "gpu.cuh"

// Of a gene pair with these expressions.
__device__ __forceinline__ uint32_t trials(float alpha, float pre, float post) {
    constexpr uint32_t MOST = 1u << 31;
    const float rounded = rintf(alpha * (pre * post));
    if (rounded < (float)MOST) return rounded > 0.0f ? (uint32_t)rounded : 0;
    return is_nan(rounded) ? 0 : MOST;
}
