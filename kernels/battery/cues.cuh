// Assays E and F, twin of src/battery/cues.rs. A block's share of right choices is added up when it ends.
#pragma once
#include "step_through.cuh"

namespace battery {

// Trials of a block.
struct Block {
    uint32_t good, bad;  // places of its pair in the life's order of cues
    uint32_t trials;
    bool test, counts;
};

constexpr uint32_t TESTS = 4, BLOCKS = 5, NOTHING = 2;

// What the two protocols share. `Protocol` has `rules` and `block`.
template <class Protocol>
struct Trials {
    static constexpr uint32_t SENSES = 2 * CUES, OUTPUTS = 2;
    static constexpr bool DRAWS = true;

    float shares;
    uint32_t order;  // numbers of the four cues, two bits each
    uint32_t block, trial, blank;
    uint32_t chosen;  // its place in the pair, or NOTHING
    uint32_t left;    // the place in the pair of what is on the left
    int32_t told;
    uint32_t chance;  // of a reward, in this step
    uint32_t right;   // choices of the block

    Trials() = default;

    __device__ __forceinline__ explicit Trials(const Row& row)
        : shares(0.0f), block(0), trial(0), blank(0), chosen(NOTHING), left(0), told(0), chance(0), right(0) {
        const uint4 w = words(row, 0);
        const uint32_t keys[CUES] = {w.x, w.y, w.z, w.w};
        order = 0;
        // A cue's place is how many have a smaller key, or the same and a smaller number.
#pragma unroll
        for (uint32_t i = 0; i < CUES; ++i) {
            uint32_t place = 0;
#pragma unroll
            for (uint32_t j = 0; j < CUES; ++j) place += keys[j] < keys[i] || (keys[j] == keys[i] && j < i);
            order |= i << 2 * place;
        }
    }

    __device__ __forceinline__ const Protocol& protocol() const { return static_cast<const Protocol&>(*this); }

    __device__ __forceinline__ int32_t observe(const Assays& assays, const uint4& words, float (&senses)[SENSES]) {
        uint32_t on_left = CUES, on_right = CUES;
        int32_t outcome = 0;
        chance = words.y;
        if (blank == 0) {
            const Block now = protocol().of(assays, block);
            const auto cue = [&](uint32_t place) { return order >> 2 * (place ? now.bad : now.good) & 3; };
            if (chosen == NOTHING) {
                left = words.x >> 31;
                on_right = cue(1 - left);
            }
            on_left = cue(chosen == NOTHING ? left : chosen);
            outcome = told;
            told = 0;
        }
#pragma unroll
        for (uint32_t i = 0; i < CUES; ++i) {
            senses[i] = (float)(i == on_left);
            senses[CUES + i] = (float)(i == on_right);
        }
        return outcome;
    }

    __device__ __forceinline__ bool act(const Assays& assays, const float (&outputs)[OUTPUTS]) {
        if (blank > 0) {
            --blank;
            return false;
        }
        const CueRules& rules = protocol().rules(assays);
        const Block now = protocol().of(assays, block);
        if (chosen == NOTHING) {
            chosen = outputs[1] > outputs[0] ? 1 - left : left;
            right += chosen == 0;
            if (!now.test) told = chosen == 0 && unit_uniform(chance) < rules.reward ? 1 : -1;
            return false;
        }
        chosen = NOTHING;
        blank = rules.gap;
        if (++trial < now.trials) return false;
        if (now.counts) shares = shares + (float)right / (float)now.trials;
        right = trial = 0;
        return ++block == BLOCKS;
    }
};

struct Swap : Trials<Swap> {
    static constexpr uint32_t NUMBER = 4;

    uint32_t before;  // trials before the swap

    Swap() = default;

    __device__ __forceinline__ Swap(const Assays& assays, const Row& row) : Trials(row) {
        const SwapSizes& sizes = assays.swap;
        const float drawn = (float)(sizes.most - sizes.least + 1) * unit_uniform(words(row, 1).x);
        before = sizes.least + (uint32_t)(int32_t)drawn;
    }

    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.swap.rules; }

    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const {
        const uint32_t trials = block == 1 ? before : block == 3 ? assays.swap.after : TESTS;
        return {block >= 3, block < 3, trials, block % 2 == 0, block > 0};
    }

    __device__ __forceinline__ float fitness(const Assays&) const { return shares / 4.0f; }
};

struct TwoTasks : Trials<TwoTasks> {
    static constexpr uint32_t NUMBER = 5;

    TwoTasks() = default;

    __device__ __forceinline__ TwoTasks(const Assays&, const Row& row) : Trials(row) {}

    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.two_tasks.rules; }

    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const {
        const bool trains = block == 0 || block == 2, second = block == 2 || block == 3;
        return {second ? 2u : 0u, second ? 3u : 1u, trains ? assays.two_tasks.trials : TESTS, !trains, true};
    }

    __device__ __forceinline__ float fitness(const Assays&) const { return shares / 5.0f; }
};

}  // namespace battery
