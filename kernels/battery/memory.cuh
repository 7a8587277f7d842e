// Assay B, twin of src/battery/memory.rs.
#pragma once
#include "arena.cuh"

namespace battery {

struct FoodMemory {
    static constexpr uint32_t NUMBER = 1, SENSES = 9, OUTPUTS = 3;
    static constexpr bool DRAWS = true;

    StepDraws draws;
    int32_t site;
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

    __device__ __forceinline__ bool act(const Assays& assays, const float (&outputs)[OUTPUTS]) {
        state.step(assays.arena, outputs[0] - outputs[1], outputs[2], draws);
        return state.phase == Phase::DONE;
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
