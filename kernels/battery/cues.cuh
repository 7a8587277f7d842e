// Assays E and F and their variants, twins of src/battery/{cues,conditioning,overlap}.rs. A block's share of right choices is added
// up when it ends.
#pragma once
#include "after.cuh"
#include "step_through.cuh"

namespace battery {

enum class Kind : uint32_t { TRAINED, TEST, FORCED };

// Trials of a block.
struct Block {
    uint32_t good, bad;  // places of its pair
    uint32_t trials;
    Kind kind;
    bool counts;  // for fitness
    // What passes before it, in trials.
    uint32_t blank = 0, filled = 0;
    // Where nothing is chosen: steps until the outcome, and whether that is r+.
    uint32_t delay = 0, rewarded = 0;
};

constexpr uint32_t TESTS = 4, BLOCKS = 5, TRIAL_STEPS = 2, NOTHING = 2;

// Channels of the four cues, eight bits each by place: the first channel is the highest of them.
__device__ __forceinline__ uint32_t channel_bit(uint32_t place, uint32_t channel) { return 0x80u >> channel << 8 * place; }

// Cues that are a channel each, or blends of two, in an order that is drawn.
__device__ __forceinline__ uint32_t looks_of(const Row& row, bool blends) {
    const uint4 w = words(row, 0);
    const uint32_t keys[CUES] = {w.x, w.y, w.z, w.w};
    uint32_t looks = 0;
    // A cue's place is how many have a smaller key, or the same and a smaller number.
#pragma unroll
    for (uint32_t i = 0; i < CUES; ++i) {
        uint32_t place = 0;
#pragma unroll
        for (uint32_t j = 0; j < CUES; ++j) place += keys[j] < keys[i] || (keys[j] == keys[i] && j < i);
        // In blends the cue of a place is in two of them: of 0 in those of places 0 and 3, of 1 in 0 and 2, of 2 in 1 and 2, of 3 in 1
        // and 3.
        const uint32_t first = place / 2, second = place == 0 || place == 3 ? 3 : 2;
        looks |= blends ? channel_bit(first, i) | channel_bit(second, i) : channel_bit(place, i);
    }
    return looks;
}

// What the protocols share. `Protocol` has `rules` and `of`, which says what a block is (one without trials ends the life), and FORGETS:
// a bit for each block before which an amnesic animal forgets.
template <class Protocol, uint32_t CHANNELS = CUES>
struct Trials {
    static constexpr uint32_t SENSES = 2 * CHANNELS, OUTPUTS = 2;
    static constexpr bool DRAWS = true;

    float shares;
    uint32_t looks;
    uint32_t block, trial, blank;
    uint32_t chosen;  // its place in the pair, or NOTHING
    uint32_t left;    // the place in the pair of what is on the left
    int32_t told;
    uint32_t chance;  // of a reward, in this step
    uint32_t right;   // choices of the block

    Trials() = default;

    __device__ __forceinline__ explicit Trials(uint32_t looks)
        : shares(0.0f), looks(looks), block(0), trial(0), blank(0), chosen(NOTHING), left(0), told(0), chance(0), right(0) {}

    __device__ __forceinline__ const Protocol& protocol() const { return static_cast<const Protocol&>(*this); }

    __device__ __forceinline__ int32_t observe(const Assays& assays, const uint4& words, float (&senses)[SENSES]) {
        uint32_t on_left = 0, on_right = 0;
        bool is_left = false, is_right = false;
        int32_t outcome = 0;
        chance = words.y;
        if (blank == 0) {
            const Block now = protocol().of(assays, block);
            const auto look = [&](uint32_t which) { return looks >> 8 * (which ? now.bad : now.good); };
            const bool forced = now.kind == Kind::FORCED, chooses = chosen == NOTHING;
            if (chooses && !forced) left = words.x >> 31;
            is_right = chooses && !forced;
            // The cue has gone when the outcome comes late.
            is_left = chooses || !forced || now.delay == 0;
            on_left = look(!chooses ? chosen : forced ? 0 : left);
            on_right = look(1 - left);
            outcome = told;
            told = 0;
        }
        const CueRules& rules = protocol().rules(assays);
#pragma unroll
        for (uint32_t i = 0; i < CHANNELS; ++i) {
            const uint32_t bit = channel_bit(0, i);
            senses[i] = is_left ? Protocol::part(rules, on_left & bit) : 0.0f;
            senses[CHANNELS + i] = is_right ? Protocol::part(rules, on_right & bit) : 0.0f;
        }
        return outcome;
    }

    // What a channel shows, by whether it is one of the cue's.
    __device__ __forceinline__ static float part(const CueRules& rules, bool on) {
        return on ? (rules.blends ? 0.5f : 1.0f) : 0.0f;
    }

    template <class Tell>
    __device__ __forceinline__ After act(const Assays& assays, const float (&outputs)[OUTPUTS], Tell tell) {
        if (blank > 0) {
            --blank;
            return After::NEXT;
        }
        const CueRules& rules = protocol().rules(assays);
        const Block now = protocol().of(assays, block);
        if (chosen == NOTHING) {
            if (now.kind == Kind::FORCED) {
                chosen = 0;
                blank = now.delay;
                told = tell((int32_t)now.rewarded);
                return After::NEXT;
            }
            chosen = outputs[1] > outputs[0] ? 1 - left : left;
            const bool scored = trial >= now.filled;
            const float drawn = unit_uniform(chance);
            right += scored && chosen == 0;
            if (now.kind == Kind::TRAINED) {
                const bool rewarded = scored ? chosen == 0 && drawn < rules.reward : drawn < 0.5f;
                told = tell(rewarded ? 1 : -1);
            }
            return After::NEXT;
        }
        chosen = NOTHING;
        blank = rules.gap;
        if (++trial < now.filled + now.trials) return After::NEXT;
        if (now.counts) shares = shares + (float)right / (float)now.trials;
        right = trial = 0;
        ++block;
        const Block next = protocol().of(assays, block);
        if (block == BLOCKS || next.trials == 0) return After::OVER;
        blank += next.blank * (TRIAL_STEPS + rules.gap);
        return Protocol::FORGETS >> block & 1 ? After::FORGET : After::NEXT;
    }
};

// A whole number of a range.
__device__ __forceinline__ uint32_t between(uint32_t least, uint32_t most, uint32_t word) {
    return least + (uint32_t)(int32_t)((float)(most - least + 1) * unit_uniform(word));
}

struct Swap : Trials<Swap> {
    static constexpr uint32_t NUMBER = 4, FORGETS = 1 << 2 | 1 << 4;

    uint32_t before;  // trials before the swap

    Swap() = default;

    __device__ __forceinline__ Swap(const Assays& assays, const Row& row)
        : Trials(looks_of(row, rules(assays).blends)), before(between(assays.swap.least, assays.swap.most, words(row, 1).x)) {}

    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.swap.rules; }

    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const {
        const uint32_t trials = block == 1 ? before : block == 3 ? assays.swap.after : TESTS;
        return {block >= 3, block < 3, trials, block % 2 ? Kind::TRAINED : Kind::TEST, block > 0};
    }

    __device__ __forceinline__ float fitness(const Assays&) const { return shares / 4.0f; }
};

// Of both protocols with two tasks.
__device__ __forceinline__ Block block_of(const TwoTasksSizes& tasks, uint32_t block) {
    const bool trains = block == 0 || block == 2, second = block == 2 || block == 3, between = block == 2;
    return {second ? 2u : 0u,
            second ? 3u : 1u,
            trains ? tasks.trials : TESTS,
            trains ? Kind::TRAINED : Kind::TEST,
            true,
            between ? tasks.blank : 0,
            between ? tasks.filled : 0};
}

struct TwoTasks : Trials<TwoTasks> {
    static constexpr uint32_t NUMBER = 5, FORGETS = 1 << 4;

    TwoTasks() = default;

    __device__ __forceinline__ TwoTasks(const Assays& assays, const Row& row) : Trials(looks_of(row, rules(assays).blends)) {}

    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.two_tasks.rules; }
    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const { return block_of(assays.two_tasks, block); }
    __device__ __forceinline__ float fitness(const Assays&) const { return shares / 5.0f; }
};

struct Conditioning : Trials<Conditioning> {
    static constexpr uint32_t NUMBER = 7, FORGETS = 1 << 3;

    uint32_t presentations;  // of each cue
    uint32_t b_first;

    Conditioning() = default;

    __device__ __forceinline__ Conditioning(const Assays& assays, const Row& row) : Trials(looks_of(row, false)) {
        const uint4 w = words(row, 1);
        presentations = between(assays.conditioning.least, assays.conditioning.most, w.x);
        b_first = w.y >> 31;
    }

    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.conditioning.rules; }

    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const {
        if (block == 0 || block >= 3) return {0, 1, block < 4 ? TESTS : 0, Kind::TEST, block == 3};
        const bool is_b = (block == 1) == (b_first != 0);
        return {is_b, !is_b, presentations, Kind::FORCED, false, 0, 0, assays.conditioning.delay, !is_b};
    }

    __device__ __forceinline__ float fitness(const Assays&) const { return shares; }
};

constexpr uint32_t CHANNELS = 8;

struct Overlap : Trials<Overlap, CHANNELS> {
    static constexpr uint32_t NUMBER = 8, FORGETS = 1 << 4;

    Overlap() = default;

    __device__ __forceinline__ Overlap(const Assays& assays, const Row& row) : Trials(alike(assays, row)) {}

    // The four cues, one of the second task a likeness of the first.
    __device__ __forceinline__ static uint32_t alike(const Assays& assays, const Row& row) {
        const uint4 w = words(row, 1);
        uint32_t cues[CUES] = {w.x >> 24, w.y >> 24, w.z >> 24, w.w >> 24};
        const bool conflict = words(row, 0).x >> 31;
        const uint32_t own = (1u << (CHANNELS - assays.overlap.shared)) - 1;
#pragma unroll
        for (uint32_t place = 2; place < CUES; ++place)
            if ((place == 3) == conflict) cues[place] = (cues[0] & ~own) | (cues[place] & own);
#pragma unroll
        for (uint32_t place = 1; place < CUES; ++place) {
            // One that has been drawn before differs in its last channels, which are never shared.
            uint32_t chosen = cues[place];
            bool found = false;
#pragma unroll
            for (uint32_t other = 0; other < CUES; ++other) {
                bool drawn = false;
#pragma unroll
                for (uint32_t before = 0; before < place; ++before) drawn = drawn || cues[before] == (cues[place] ^ other);
                if (!found && !drawn) chosen = cues[place] ^ other, found = true;
            }
            cues[place] = chosen;
        }
        return cues[0] | cues[1] << 8 | cues[2] << 16 | cues[3] << 24;
    }

    __device__ __forceinline__ static float part(const CueRules&, bool on) { return on ? 1.0f : -1.0f; }
    __device__ __forceinline__ static const CueRules& rules(const Assays& assays) { return assays.overlap.tasks.rules; }
    __device__ __forceinline__ Block of(const Assays& assays, uint32_t block) const { return block_of(assays.overlap.tasks, block); }
    __device__ __forceinline__ float fitness(const Assays&) const { return shares / 5.0f; }
};

}  // namespace battery
