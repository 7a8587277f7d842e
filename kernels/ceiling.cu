// What the device can do at most, measured in the same run as a profile: a copy, and chains of independent operations
// that keep one unit of every multiprocessor busy. No twins: nothing is computed that anyone needs, but what is written
// depends on every operation, so that none is left out.
#include "ptx.cuh"

// A grid of threads copies 16 bytes at a time.
KERNEL(ceiling_copy, CeilingArgs, 256, 4) {
    const float4* const from = (const float4*)args.from;
    float4* const to = (float4*)args.to;
    const uint64_t stride = (uint64_t)gridDim.x * blockDim.x;
    for (uint64_t i = (uint64_t)blockIdx.x * blockDim.x + threadIdx.x; i < args.length / 4; i += stride) to[i] = from[i];
}

// 16 fused multiply-adds an iteration and thread, eight of them independent.
KERNEL(ceiling_fma, CeilingArgs, 256, 4) {
    const uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
    const float factor = args.from[0];
    float sums[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) sums[i] = (float)(thread + i);
    for (uint32_t n = 0; n < args.iterations; ++n) {
#pragma unroll
        for (int i = 0; i < 16; ++i) sums[i % 8] = fmaf(sums[i % 8], factor, factor);
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += sums[i];
    args.to[thread] = sum;
}

// 8 products 16 x 8 x 16 an iteration and warp, all independent: 4,096 operations each.
KERNEL(ceiling_mma, CeilingArgs, 256, 2) {
    const uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
    const uint32_t w = __float_as_uint(args.from[thread % 32]), a[4] = {w, w ^ thread, w + thread, w};
    float sums[8][4] = {};
    for (uint32_t n = 0; n < args.iterations; ++n) {
#pragma unroll
        for (int i = 0; i < 8; ++i) ptx::mma_16x8x16(sums[i], a, w, w + i);
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += sums[i][0] + sums[i][1] + sums[i][2] + sums[i][3];
    args.to[thread] = sum;
}

// 16 hardware tanh an iteration and thread, eight of them independent.
KERNEL(ceiling_tanh, CeilingArgs, 256, 4) {
    const uint32_t thread = blockIdx.x * blockDim.x + threadIdx.x;
    float values[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) values[i] = args.from[i] + (float)thread;
    for (uint32_t n = 0; n < args.iterations; ++n) {
#pragma unroll
        for (int i = 0; i < 16; ++i) values[i % 8] = ptx::tanh_approx(values[i % 8]);
    }
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 8; ++i) sum += values[i];
    args.to[thread] = sum;
}
