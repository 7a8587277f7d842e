// Every assay that has lives, and what they have in common. A new one is its header and a line here.
#pragma once
#include "chemotaxis.cuh"
#include "cues.cuh"
#include "memory.cuh"
#include "reversal.cuh"

// X(name, World): the name as in Assay::name, with _ for -. A World is a life: NUMBER, SENSES, OUTPUTS, DRAWS (in every control
// step), a constructor from what is drawn once, `observe`, `act`, which asks tell(outcome) what the animal is told instead, and
// `fitness`.
#define EACH_ASSAY(X) \
    X(chemotaxis, battery::Chemotaxis) \
    X(food_memory, battery::FoodMemory) \
    X(avoidance, battery::StepThrough) \
    X(reversal, battery::Reversal) \
    X(preference, battery::Swap) \
    X(two_tasks, battery::TwoTasks) \
    X(conditioning, battery::Conditioning) \
    X(overlap, battery::Overlap)

namespace battery {

// What is drawn once for a life of an assay, and in its control steps.
__device__ __forceinline__ Row life_row(uint64_t seed, uint32_t assay, uint32_t life) {
    return {seed, STREAM_ASSAY_LIFE, assay, life};
}

// Senses, r+ and r- of a control step, each as to(i).
template <class World, class To>
__device__ __forceinline__ void show(World& world, const Assays& assays, uint64_t seed, uint32_t life, uint32_t step, To to) {
    const Row row = {seed, STREAM_ASSAY_STEP, World::NUMBER, life};
    const uint4 drawn = World::DRAWS ? words(row, step) : make_uint4(0, 0, 0, 0);
    float senses[World::SENSES];
    const int32_t told = world.observe(assays, drawn, senses);
#pragma unroll
    for (uint32_t i = 0; i < World::SENSES; ++i) to(i) = senses[i];
    to(World::SENSES) = (float)(told > 0);
    to(World::SENSES + 1) = (float)(told < 0);
}

// What a life is shown and answers in a step, or answers alone, where there is room for it.
template <class World, class Shown>
__device__ __forceinline__ void keep(const LivesTrace& trace, uint32_t step, uint32_t lane, Shown shown,
                                     const float (&answers)[World::OUTPUTS]) {
    if (step >= trace.steps) return;
    float* to = trace.values + (size_t)step * trace.rows * trace.lanes + lane;
    if (trace.rows == TRACED) {
#pragma unroll
        for (uint32_t i = 0; i < World::SENSES + 2; ++i, to += trace.lanes) *to = shown(i);
    }
#pragma unroll
    for (uint32_t i = 0; i < World::OUTPUTS; ++i, to += trace.lanes) *to = answers[i];
}

}  // namespace battery
