// One function per PTX instruction that CUDA C++ has no word for, each with an emulated twin. The twins keep the
// operands' layout and precision, not the hardware's order of summation.
#pragma once
#include "gpu.cuh"

namespace ptx {

#ifdef __CUDACC__

// Two halves, rounded to nearest even; `low` in the low 16 bits.
__device__ __forceinline__ uint32_t pack_half2(float low, float high) {
    uint32_t both;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
    return both;
}

// Error about 5e-4 (2^-10.987 relative, PTX ISA).
__device__ __forceinline__ float tanh_approx(float x) {
    float y;
    asm("tanh.approx.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// Of 1 / x, wrong in the last place at most (PTX ISA); x neither tiny nor huge.
__device__ __forceinline__ float reciprocal_approx(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}

// x between -bound and bound; a NaN stays one.
__device__ __forceinline__ float clamp(float x, float bound) {
    float y;
    asm("{ .reg .f32 t; min.NaN.f32 t, %1, %2; max.NaN.f32 %0, t, %3; }" : "=f"(y) : "f"(x), "f"(bound), "f"(-bound));
    return y;
}

// d += a b: a is 16 x 16 halves, b 16 x 8, d 16 x 8 floats. With g = lane / 4, t = lane % 4:
// a[0], a[1]: rows g, g + 8, columns 2t, 2t + 1; a[2], a[3]: the same rows, columns 8 further;
// b[0]: rows 2t, 2t + 1 of column g; b[1]: rows 8 further; d[0], d[1]: row g, columns 2t, 2t + 1; d[2], d[3]: row g + 8.
__device__ __forceinline__ void mma_16x8x16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

#else

inline uint32_t pack_half2(float low, float high) {
    const _Float16 halves[2] = {(_Float16)low, (_Float16)high};
    uint32_t both;
    __builtin_memcpy(&both, halves, 4);
    return both;
}

inline float half_of(uint32_t both, uint32_t which) {
    _Float16 halves[2];
    __builtin_memcpy(halves, &both, 4);
    return (float)halves[which];
}

inline float tanh_approx(float x) { return ::tanhf(x); }

inline float reciprocal_approx(float x) { return 1.0f / x; }

inline float clamp(float x, float bound) {
    x = x > bound ? bound : x;
    return x < -bound ? -bound : x;
}

struct MmaOperands {
    uint32_t a[4], b[2];
    float d[4];
};

struct MmaResult {
    float d[4];
};

// All 32 lanes at once: the lane that arrives last computes for the warp.
inline void mma_of_warp(const MmaOperands (&lanes)[32], MmaResult (&results)[32]) {
    float a[16][16], b[16][8];
    for (uint32_t lane = 0; lane < 32; ++lane) {
        const uint32_t g = lane / 4, t = lane % 4;
        for (uint32_t word = 0; word < 4; ++word)
            for (uint32_t i = 0; i < 2; ++i) a[g + word % 2 * 8][2 * t + i + word / 2 * 8] = half_of(lanes[lane].a[word], i);
        for (uint32_t word = 0; word < 2; ++word)
            for (uint32_t i = 0; i < 2; ++i) b[2 * t + i + word * 8][g] = half_of(lanes[lane].b[word], i);
    }
    for (uint32_t lane = 0; lane < 32; ++lane) {
        for (uint32_t i = 0; i < 4; ++i) {
            const uint32_t row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
            float sum = lanes[lane].d[i];
            for (uint32_t k = 0; k < 16; ++k) sum = fmaf(a[row][k], b[k][column], sum);
            results[lane].d[i] = sum;
        }
    }
}

inline void mma_16x8x16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    const MmaOperands mine = {{a[0], a[1], a[2], a[3]}, {b0, b1}, {d[0], d[1], d[2], d[3]}};
    MmaResult result;
    emu::warp_compute<MmaOperands, MmaResult, mma_of_warp>(mine, result);
    for (uint32_t i = 0; i < 4; ++i) d[i] = result.d[i];
}

#endif

}  // namespace ptx
