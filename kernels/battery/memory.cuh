// Assay B, twin of src/battery/memory.rs.
#pragma once
#include "after.cuh"
#include "arena.cuh"

namespace battery {

struct FoodMemory {
    static constexpr uint32_t NUMBER = 1, SENSES = 9, OUTPUTS = 3;
    static constexpr bool DRAWS = true;

    StepDraws draws;
    int32_t site;  // that exits are measured from; another life's if outcomes are shuffled
    Forager state;

    FoodMemory() = default;

    __device__ __forceinline__ FoodMemory(const Assays& assays, const Row& row) {
        const uint4 w = words(row, 0);
        const auto heading = [](uint32_t word) { return wrap(TAU * (double)unit_uniform(word)); };
        site = (int32_t)(8.0 * (double)unit_uniform(w.x));
        state = Forager(assays.arena, site, heading(w.y), heading(w.z));
    }

    __device__ __forceinline__ int32_t observe(const Assays& assays, const uint4& words, float (&senses)[SENSES]) {
        const float noise = draw(words, draws);
        state.observe(assays.arena, noise, senses);
        return 0;
    }

    template <class Tell>
    __device__ __forceinline__ After act(const Assays& assays, const float (&outputs)[OUTPUTS], Tell tell) {
        const Phase before = state.phase;
        state.step(assays.arena, outputs[0] - outputs[1], outputs[2], draws);
        if (before == Phase::FIND && state.phase == Phase::EAT) site = tell(site);
        if (state.phase == Phase::DONE) return After::OVER;
        return before == Phase::DELAY && state.phase == Phase::TEST ? After::FORGET : After::NEXT;
    }

    __device__ __forceinline__ float fitness(const Assays&) const {
        const float found = state.reached ? 0.3f : 0.0f;
        if (state.exit != state.exit) return found;
        double sin, cos;
        direction(state.exit - TAU / 8.0 * (double)site, sin, cos);
        return found + (float)cos;
    }
};

}  // namespace battery
