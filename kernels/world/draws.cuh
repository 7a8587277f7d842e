// The uniforms of one episode, twin of src/world/draws.rs: phylon's own by counter, or the very numbers that Gymnasium draws.
#pragma once
#include "../rng.cuh"

struct Draws {
    // Of PCG64; its increment is odd, so 0 stands for Philox.
    unsigned __int128 state, increment;
    Row row;
    uint32_t drawn;
    // The unused half of an output of PCG64, which the next integer takes.
    uint32_t half;
    bool has_half;

    Draws() = default;

    __device__ __forceinline__ Draws(const WorldArgs& args, uint32_t episode)
        : state(0), increment(0), row{args.seed, STREAM_WORLD, 0, episode}, drawn(0), half(0), has_half(false) {
        if (args.gymnasium) start_pcg(args.seed + episode);
    }

    // phylon's own.
    __device__ __forceinline__ Draws(uint64_t seed, uint32_t episode)
        : state(0), increment(0), row{seed, STREAM_WORLD, 0, episode}, drawn(0), half(0), has_half(false) {}

    // The next uniform in [0, 1).
    __device__ __forceinline__ double uniform() {
        return (double)((increment ? next_of_pcg() : next_of_philox()) >> 11) * (1.0 / 9007199254740992.0);
    }

    __device__ __forceinline__ double between(double low, double high) { return low + (high - low) * uniform(); }

    // The next integer in low ..= high, for a range below 2^32.
    __device__ __forceinline__ int32_t integer(int32_t low, int32_t high) {
        const uint32_t range = (uint32_t)(high - low) + 1;
        return low + (int32_t)(increment ? below(range) : (uint32_t)__umul64hi(next_of_philox(), range));
    }

private:
    // Lemire 2019, without bias.
    __device__ __forceinline__ uint32_t below(uint32_t range) {
        uint64_t product = (uint64_t)next_half() * range;
        if ((uint32_t)product < range) {
            const uint32_t threshold = (0u - range) % range;
            while ((uint32_t)product < threshold) product = (uint64_t)next_half() * range;
        }
        return (uint32_t)(product >> 32);
    }

    __device__ __forceinline__ uint32_t next_half() {
        has_half = !has_half;
        if (!has_half) return half;
        const uint64_t bits = next_of_pcg();
        half = (uint32_t)(bits >> 32);
        return (uint32_t)bits;
    }

    __device__ __forceinline__ uint64_t next_of_philox() {
        const uint4 w = words(row, drawn / 2);
        const bool first = drawn++ % 2 == 0;
        return (uint64_t)(first ? w.x : w.z) << 32 | (first ? w.y : w.w);
    }

    __device__ __forceinline__ void advance() {
        constexpr unsigned __int128 MULTIPLIER = (unsigned __int128)0x2360ED051FC65DA4u << 64 | 0x4385DF649FCCF645u;
        state = state * MULTIPLIER + increment;
    }

    __device__ __forceinline__ uint64_t next_of_pcg() {
        advance();
        const uint64_t word = (uint64_t)(state >> 64) ^ (uint64_t)state;
        const uint32_t by = (uint32_t)(state >> 122);
        return word >> by | word << (-by & 63);
    }

    // NumPy's SeedSequence: a constant that multiplies itself on at each use.
    struct Hash {
        uint32_t constant, factor;

        __device__ __forceinline__ uint32_t of(uint32_t value) {
            value ^= constant;
            constant *= factor;
            value *= constant;
            return value ^ value >> 16;
        }
    };

    __device__ __forceinline__ void start_pcg(uint64_t seed) {
        Hash in = {0x43B0D7E5u, 0x931E8875u};
        uint32_t pool[4] = {in.of((uint32_t)seed), in.of((uint32_t)(seed >> 32)), in.of(0), in.of(0)};
#pragma unroll
        for (int source = 0; source < 4; ++source)
#pragma unroll
            for (int to = 0; to < 4; ++to)
                if (source != to) {
                    const uint32_t mixed = 0xCA01F9DDu * pool[to] - 0x4973F715u * in.of(pool[source]);
                    pool[to] = mixed ^ mixed >> 16;
                }
        Hash out = {0x8B51F9DDu, 0x58F38DEDu};
        uint64_t halves[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const uint32_t low = out.of(pool[2 * i % 4]), high = out.of(pool[(2 * i + 1) % 4]);
            halves[i] = (uint64_t)high << 32 | low;
        }
        const auto wide = [&](int i) { return (unsigned __int128)halves[i] << 64 | halves[i + 1]; };
        increment = wide(2) << 1 | 1;
        advance();
        state += wide(0);
        advance();
    }
};
