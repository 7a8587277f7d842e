// Assay C, twin of src/battery/step_through.rs.
#pragma once
#include "../rng.cuh"
#include "after.cuh"

namespace battery {

constexpr uint32_t CUES = 4;

struct StepThrough {
    static constexpr uint32_t NUMBER = 2, SENSES = CUES + 2, OUTPUTS = 2;
    static constexpr bool DRAWS = false;

    enum class Stage : uint32_t { NAIVE, ENTERED, DELAY, FIRST, SECOND };

    uint32_t cues;  // channels of X in the lowest bits, those of Y in the next
    uint32_t shocked;
    uint32_t first;  // which of the two is tested first, 0 for X
    Stage stage;
    uint32_t steps;
    int32_t told;
    uint32_t naive, with_x, with_y;  // steps until it entered; 0 if it did not

    StepThrough() = default;

    __device__ __forceinline__ StepThrough(const Assays& assays, const Row& row)
        : stage(Stage::NAIVE), steps(0), told(0), naive(0), with_x(0), with_y(0) {
        const uint4 w = words(row, 0);
        const uint32_t x = (uint32_t)(int32_t)((float)CUES * unit_uniform(w.x));
        const uint32_t y = (x + 1 + (uint32_t)(int32_t)((float)(CUES - 1) * unit_uniform(w.y))) % CUES;
        const uint32_t others = ((1u << CUES) - 1) & ~(1u << x | 1u << y), lower = others & (0u - others);
        cues = 1u << x | 1u << (CUES + y);
        if (assays.step_through.blends) cues |= lower | (others & ~lower) << CUES;
        shocked = unit_uniform(w.z) < 0.5f;
        first = unit_uniform(w.w) < 0.5f;
    }

    // Which cue is at the door, 0 for X.
    __device__ __forceinline__ uint32_t tested() const {
        return stage == Stage::FIRST ? first : stage == Stage::SECOND ? 1 - first : 0;
    }

    __device__ __forceinline__ After enter(Stage next) {
        stage = next;
        steps = 0;
        return After::NEXT;
    }

    __device__ __forceinline__ int32_t observe(const Assays& assays, const uint4&, float (&senses)[SENSES]) {
        const uint32_t shown = stage == Stage::DELAY ? 0 : tested() ? cues >> CUES : cues;
        const float part = assays.step_through.blends ? 0.5f : 1.0f;
#pragma unroll
        for (uint32_t i = 0; i < CUES; ++i) senses[i] = shown >> i & 1 ? part : 0.0f;
        senses[CUES] = (float)(stage == Stage::NAIVE || stage == Stage::FIRST || stage == Stage::SECOND);
        senses[CUES + 1] = (float)(stage == Stage::DELAY);
        const int32_t outcome = told;
        told = 0;
        return outcome;
    }

    template <class Tell>
    __device__ __forceinline__ After act(const Assays& assays, const float (&outputs)[OUTPUTS], Tell tell) {
        const bool goes = outputs[0] > outputs[1];
        ++steps;
        if (stage == Stage::ENTERED) return enter(Stage::DELAY);
        if (stage == Stage::DELAY) {
            if (steps < assays.step_through.delay) return After::NEXT;
            enter(Stage::FIRST);
            return After::FORGET;
        }
        if (goes) {
            const bool is_naive = stage == Stage::NAIVE, is_other = tested() == 1;
            naive = is_naive ? steps : naive;
            with_x = is_naive || is_other ? with_x : steps;
            with_y = !is_naive && is_other ? steps : with_y;
        } else if (steps < assays.step_through.cutoff) {
            return After::NEXT;
        }
        if (stage == Stage::NAIVE) {
            if (!goes) return enter(Stage::DELAY);
            told = tell(-(int32_t)shocked);
            return enter(Stage::ENTERED);
        }
        return stage == Stage::FIRST ? enter(Stage::SECOND) : After::OVER;
    }

    __device__ __forceinline__ float fitness(const Assays& assays) const {
        const uint32_t cutoff = assays.step_through.cutoff;
        const auto waited = [&](uint32_t entered) { return (float)(entered > 0 ? entered : cutoff); };
        const bool is_told = shocked && naive > 0;
        const float tests = is_told ? waited(with_x) - waited(with_y) : -0.5f * (waited(with_x) + waited(with_y));
        return (tests - waited(naive)) / (float)cutoff;
    }
};

}  // namespace battery
