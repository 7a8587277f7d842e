// A column's neurons in a step, and what comes to them from outside; for the kernels that step columns. Twin of Move in
// src/column/simulation.rs and of src/column/background.rs.
#pragma once
#include "rng.cuh"

namespace columns {

// A potential that rests is no number but this and the last step at rest.
constexpr uint32_t RESTS = 0x7fc00000u, REST_MASK = (1u << COLUMN_REST_BITS) - 1;
// Of a guide's count: words of this beginning have more than one count.
constexpr uint32_t LOOK_AGAIN = 0x80u;

// All threads of a block.
template <class F>
__device__ __forceinline__ void each(uint32_t count, F f) {
    for (uint32_t i = threadIdx.x; i < count; i += blockDim.x) f(i);
}

// 8 bytes at once.
__device__ __forceinline__ ColumnSynapse synapse(const Column& column, uint32_t number) {
    const uint2 words = __ldg((const uint2*)column.synapses + number);
    return {words.x, (int32_t)words.y};
}

// How many thresholds a word reaches.
__device__ __forceinline__ uint32_t reached(const uint32_t* law, uint32_t word, uint32_t from = 0) {
    uint32_t n = from;
    while (n < law[0] && word >= law[1 + n]) ++n;
    return n;
}

// Spikes from outside of a lane.
struct Outside {
    uint32_t* laws;   // as Column::laws
    uint8_t* guides;  // [law][COLUMN_GUIDE]

    // In shared memory; the second after a barrier.
    __device__ __forceinline__ void fill_laws(const Column& column) const {
        each(column.laws_count * COLUMN_LAW, [&](uint32_t i) { laws[i] = column.laws[i]; });
    }
    __device__ __forceinline__ void fill_guides(const Column& column) const {
        each(column.laws_count * COLUMN_GUIDE, [&](uint32_t i) {
            const uint32_t* const law = laws + i / COLUMN_GUIDE * COLUMN_LAW;
            const uint32_t first = i % COLUMN_GUIDE << 21, least = reached(law, first);
            const bool is_sure = least == reached(law, first | 0x1fffffu, least);
            guides[i] = is_sure ? least : LOOK_AGAIN;
        });
    }

    // Of the eight half words of a block the one of a step.
    __device__ __forceinline__ static uint32_t half_of(const uint4& words, uint32_t place) {
        const uint32_t early = place < 2 ? words.x : words.y, late = place < 6 ? words.z : words.w;
        return (place < 4 ? early : late) >> 16 * (place % 2) & 0xffffu;
    }

    // How many come from outside where this is the upper half of a word, or LOOK_AGAIN.
    __device__ __forceinline__ static uint32_t count_of(const uint32_t* law, uint32_t half) {
        const uint32_t least = reached(law, half << 16);
        return reached(law, half << 16 | 0xffffu, least) == least ? least : LOOK_AGAIN;
    }

    // Of a lane, for the eight steps from `8 eight_steps` on: step j in 4 bits from bit 8 (j % 4) + 4 (j / 4) on; or for four of
    // them, in 8 bits from bit 8 (j % 4) on.
    __device__ __forceinline__ uint32_t draw(const Column& column, const ColumnStrip& strip, uint32_t lane, uint32_t eight_steps,
                                            bool are_later_four) const {
        const Row row = {column.noise_seed, STREAM_BACKGROUND, eight_steps, strip.first_lane + lane};
        const uint8_t* const guide = guides + strip.law * COLUMN_GUIDE;
        const uint32_t* const law = laws + strip.law * COLUMN_LAW;
        const uint4 w = words(row, 0);
        const auto two = [&](uint32_t word) { return guide[word >> 5 & 0x7ffu] | guide[word >> 21] << 8; };
        uint32_t early = two(w.x) | two(w.y) << 16, late = two(w.z) | two(w.w) << 16;
        const auto settle = [&](auto count) {
            uint32_t again = (early & 0x80808080u) >> 7 | (late & 0x80808080u) >> 6;
            while (again) {
                const uint32_t bit = __ffs(again) - 1, is_late = bit & 1, shift = bit & ~1u;
                // The mark gives way to the count.
                const uint32_t change = (count(bit / 8 + 4 * is_late) ^ LOOK_AGAIN) << shift;
                early ^= is_late ? 0 : change;
                late ^= is_late ? change : 0;
                again &= again - 1;
            }
        };
        settle([&](uint32_t place) { return count_of(law, half_of(w, place)); });
        // Hardly ever. The first block is made again so that nobody has to keep it.
        settle([&](uint32_t place) {
            const uint32_t upper = half_of(words(row, 0), place);
            return reached(law, upper << 16 | half_of(words(row, 1), place));
        });
        if (column.together == 8) return (early & 0x0f0f0f0fu) | (late & 0x0f0f0f0fu) << 4;
        return are_later_four ? late : early;
    }
};

// A neuron to this step; whether it fires. What arrives is at `sums`: of all weights, or of the positive and, `pitch` words
// further, of the negative ones; `coming` from outside.
template <uint32_t CHANNELS>
__device__ __forceinline__ bool move(const Column& column, const ColumnStrip& strip, int32_t* sums, uint32_t pitch, uint32_t step,
                                     float coming, uint32_t& u, float (&current)[CHANNELS]) {
    constexpr uint32_t SIGNS = CHANNELS == 1 ? 1 : 2;
    const float unit = column.unit, external = column.external_weight;
    float next = strip.constant;
    const auto flow = [&](float& current, float decay, float gain, float input) {
        next = fmaf(gain, current, next);
        current = fmaf(decay, current, input);
    };
    if constexpr (CHANNELS == 1) {
        flow(current[0], strip.decay, strip.gain, fmaf(coming, external, (float)sums[0] * unit));
    } else {
        flow(current[2], strip.decay_external, strip.gain_external, coming * external);
        flow(current[1], strip.decay_inhibitory, strip.gain_inhibitory, (float)sums[pitch] * unit);
        flow(current[0], strip.decay, strip.gain, (float)sums[0] * unit);
    }
    for (uint32_t sign = 0; sign < SIGNS; ++sign) sums[sign * pitch] = 0;
    float before = __uint_as_float(u);
    // The rest is over where its last step lies behind this one.
    if (is_nan(before) && ((u - step) & REST_MASK) > REST_MASK / 2) before = strip.reset;
    next = before + fmaf(strip.leak, before, next);
    // Of one that rests it is not a number, which reaches no threshold.
    const bool fires = next >= strip.threshold;
    if (!is_nan(before)) u = __float_as_uint(next);
    if (fires) u = RESTS | ((step + strip.refractory) & REST_MASK);
    return fires;
}

// That lane `lane` of a strip fired, in no order, where there is room; the host sorts.
__device__ __forceinline__ void write_down(const Column& column, const ColumnStrip& strip, uint32_t step, uint32_t lane) {
    const uint32_t at = atomicAdd(&column.report->spikes, 1u);
    if (at < column.room) {
        column.spikes[2 * (size_t)at] = step;
        column.spikes[2 * (size_t)at + 1] = strip.first_lane + lane;
    }
}

}  // namespace columns
