// Twin of src/rng.rs: Philox4x32-10 and the uniforms and normals made from it, addressed by (seed, stream, generation,
// index, element).
#pragma once
#include "num.cuh"

struct Row {
    uint64_t seed;
    uint32_t stream, generation, index;
};

__device__ __forceinline__ uint4 philox(uint4 counter, uint2 key) {
#pragma unroll
    for (int round = 0; round < 10; ++round) {
        const uint32_t low_a = counter.x * 0xD2511F53u, high_a = __umulhi(counter.x, 0xD2511F53u);
        const uint32_t low_b = counter.z * 0xCD9E8D57u, high_b = __umulhi(counter.z, 0xCD9E8D57u);
        counter = make_uint4(high_b ^ counter.y ^ key.x, low_b, high_a ^ counter.w ^ key.y, low_a);
        key = make_uint2(key.x + 0x9E3779B9u, key.y + 0xBB67AE85u);
    }
    return counter;
}

// The four words of elements 4 * block ...
__device__ __forceinline__ uint4 words(const Row& row, uint32_t block) {
    const uint2 key = make_uint2((uint32_t)row.seed, (uint32_t)(row.seed >> 32));
    return philox(make_uint4(block, row.index, row.generation, row.stream), key);
}

__device__ __forceinline__ float unit_uniform(uint32_t word) { return (float)(int32_t)(word >> 8) * (1.0f / 16777216.0f); }

// Box & Muller 1958; the radius has 31 bits.
__device__ __forceinline__ float2 normal_pair(uint32_t a, uint32_t b) {
    const float u = fmaf((float)(int32_t)(a >> 1), 1.0f / 2147483648.0f, 0.5f / 2147483648.0f);
    const float radius = sqrtf(-2.0f * num::ln(u));
    float sine, cosine;
    num::sin_cos_pi((float)(int32_t)b * (1.0f / 2147483648.0f), sine, cosine);
    return make_float2(radius * cosine, radius * sine);
}

// Standard normals of elements 4 * block ...
__device__ __forceinline__ float4 normals(const Row& row, uint32_t block) {
    const uint4 w = words(row, block);
    const float2 first = normal_pair(w.x, w.y), second = normal_pair(w.z, w.w);
    return make_float4(first.x, first.y, second.x, second.y);
}

// Address and sign of the noise of an offspring, as Mutation::row.
struct Mutation {
    Row row;
    float sign;
};

__device__ __forceinline__ Mutation mutation(uint64_t seed, uint32_t generation, bool antithetic, uint32_t offspring) {
    const uint32_t index = antithetic ? offspring / 2 : offspring;
    return {{seed, STREAM_MUTATION, generation, index}, antithetic && offspring % 2 ? -1.0f : 1.0f};
}
