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

// The low or the high half.
__device__ __forceinline__ float half_of(uint32_t both, uint32_t which) {
    float half;
    asm("cvt.f32.f16 %0, %1;" : "=f"(half) : "h"((uint16_t)(both >> 16 * which)));
    return half;
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

// The same where a has 8 columns and b 8 rows: a[0], a[1] and b alone.
__device__ __forceinline__ void mma_16x8x8(float (&d)[4], const uint32_t (&a)[4], uint32_t b) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(b));
}

// The lane, asked for anew at every call, so that it takes no register in between.
__device__ __forceinline__ uint32_t lane() {
    uint32_t lane;
    asm volatile("mov.u32 %0, %%laneid;" : "=r"(lane));
    return lane;
}

// x y of pairs of halves.
__device__ __forceinline__ uint32_t multiply_half2(uint32_t x, uint32_t y) {
    uint32_t product;
    asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(x), "r"(y));
    return product;
}

// x + y of two pairs of halves; clipped to [0, 1].
__device__ __forceinline__ uint32_t add_half2(uint32_t x, uint32_t y) {
    uint32_t sum;
    asm("add.rn.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(x), "r"(y));
    return sum;
}

__device__ __forceinline__ uint32_t add_half2_clipped(uint32_t x, uint32_t y) {
    uint32_t sum;
    asm("add.rn.sat.f16x2 %0, %1, %2;" : "=r"(sum) : "r"(x), "r"(y));
    return sum;
}

// x y + z of pairs of halves, rounded once.
__device__ __forceinline__ uint32_t fma_half2(uint32_t x, uint32_t y, uint32_t z) {
    uint32_t sum;
    asm("fma.rn.f16x2 %0, %1, %2, %3;" : "=r"(sum) : "r"(x), "r"(y), "r"(z));
    return sum;
}

// x + y clipped to [0, 1]; 0 where it is NaN.
__device__ __forceinline__ float add_clipped(float x, float y) {
    float sum;
    asm("add.rn.sat.f32 %0, %1, %2;" : "=f"(sum) : "f"(x), "f"(y));
    return sum;
}

// Have the 32 bytes around an address of global memory fetched into L2.
__device__ __forceinline__ void prefetch(const void* address) { asm volatile("prefetch.global.L2 [%0];" : : "l"(address)); }

// A word of global memory that other blocks read or write meanwhile. Nothing else is ordered by it: see __threadfence.
__device__ __forceinline__ uint64_t load_relaxed(const uint64_t* from) {
    uint64_t word;
    asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(word) : "l"(from) : "memory");
    return word;
}

__device__ __forceinline__ void store_relaxed(uint64_t* to, uint64_t word) {
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" : : "l"(to), "l"(word) : "memory");
}

// In a loop that waits for another block: nothing.
__device__ __forceinline__ void let_others_run() {}

// 16 bytes of shared memory, and the compiler keeps such loads in their order.
__device__ __forceinline__ uint4 load_in_order(const uint4* from) {
    uint4 four;
    asm volatile("ld.shared.v4.u32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(four.x), "=r"(four.y), "=r"(four.z), "=r"(four.w)
                 : "r"((uint32_t)__cvta_generic_to_shared(from)));
    return four;
}

// Four 8 x 8 matrices of halves out of shared memory: lane 8 i + row names a row of matrix i, 16 bytes, and gets of every
// matrix columns 2t, 2t + 1 of row g.
__device__ __forceinline__ void load_matrices(uint32_t (&matrices)[4], const void* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
                 : "r"((uint32_t)__cvta_generic_to_shared(row)) : "memory");
}

// An 8 x 8 matrix of halves, of which a lane has columns 2t, 2t + 1 of row g, transposed.
__device__ __forceinline__ uint32_t transpose_8x8(uint32_t matrix) {
    uint32_t transposed;
    asm("movmatrix.sync.aligned.m8n8.trans.b16 %0, %1;" : "=r"(transposed) : "r"(matrix));
    return transposed;
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

inline void mma_16x8x8(float (&d)[4], const uint32_t (&a)[4], uint32_t b) { mma_16x8x16(d, {a[0], a[1], 0, 0}, b, 0); }

inline uint32_t lane() { return emu::lane(); }

inline uint32_t multiply_half2(uint32_t x, uint32_t y) {
    return pack_half2(half_of(x, 0) * half_of(y, 0), half_of(x, 1) * half_of(y, 1));
}

inline uint32_t add_half2(uint32_t x, uint32_t y) {
    return pack_half2(half_of(x, 0) + half_of(y, 0), half_of(x, 1) + half_of(y, 1));
}

inline float clipped(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

inline uint32_t add_half2_clipped(uint32_t x, uint32_t y) {
    return pack_half2(clipped(half_of(x, 0) + half_of(y, 0)), clipped(half_of(x, 1) + half_of(y, 1)));
}

inline uint32_t fma_half2(uint32_t x, uint32_t y, uint32_t z) {
    return pack_half2(fmaf(half_of(x, 0), half_of(y, 0), half_of(z, 0)), fmaf(half_of(x, 1), half_of(y, 1), half_of(z, 1)));
}

inline float add_clipped(float x, float y) { return clipped(x + y); }

inline void prefetch(const void*) {}

inline uint64_t load_relaxed(const uint64_t* from) { return __atomic_load_n(from, __ATOMIC_RELAXED); }

inline void store_relaxed(uint64_t* to, uint64_t word) { __atomic_store_n(to, word, __ATOMIC_RELAXED); }

inline void let_others_run() { emu::pause(); }

inline uint4 load_in_order(const uint4* from) { return *from; }

inline void load_matrices(uint32_t (&matrices)[4], const void* row) {
    const void* rows[32];
    emu::warp_gather(row, rows);
    const uint32_t lane = emu::lane();
    for (uint32_t i = 0; i < 4; ++i)
        __builtin_memcpy(&matrices[i], (const char*)rows[8 * i + lane / 4] + lane % 4 * 4, 4);
}

inline uint32_t transpose_8x8(uint32_t matrix) {
    uint32_t rows[32];
    emu::warp_gather(matrix, rows);
    const uint32_t g = emu::lane() / 4, t = emu::lane() % 4;
    const auto at = [&](uint32_t row) { return half_of(rows[row * 4 + g / 2], g % 2); };
    return pack_half2(at(2 * t), at(2 * t + 1));
}

#endif

}  // namespace ptx
