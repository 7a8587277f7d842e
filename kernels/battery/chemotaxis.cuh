// Assay A, twin of src/battery/chemotaxis.rs. Of a life it keeps what its fitness needs.
#pragma once
#include "after.cuh"
#include "plate.cuh"

namespace battery {

struct Chemotaxis {
    static constexpr uint32_t NUMBER = 0, SENSES = 5, OUTPUTS = 3;
    static constexpr bool DRAWS = true;

    StepDraws draws;
    Worm worm;
    double start, distances;

    Chemotaxis() = default;

    __device__ __forceinline__ Chemotaxis(const Assays&, const Row& row) : distances(0.0) {
        const uint4 w = words(row, 0);
        double sin, cos;
        direction(TAU * (double)unit_uniform(w.y), sin, cos);
        const double radius = 2.0 * sqrt((double)unit_uniform(w.x));
        worm = Worm(radius * cos, radius * sin, wrap(TAU * (double)unit_uniform(w.z)));
        start = worm.distance_to(source());
    }

    __device__ __forceinline__ static Source source() { return {20.0, 0.0, 1.0}; }

    __device__ __forceinline__ int32_t observe(const Assays& assays, const uint4& words, float (&senses)[SENSES]) {
        const float noise = draw(words, draws);
        plate::observe(assays.chemotaxis.plate, worm, source(), noise, senses);
        return 0;
    }

    template <class Tell>
    __device__ __forceinline__ After act(const Assays& assays, const float (&outputs)[OUTPUTS], Tell) {
        plate::step(assays.chemotaxis.plate, worm, outputs[0] - outputs[1], outputs[2], draws);
        distances = distances + worm.distance_to(source());
        return worm.step >= assays.chemotaxis.steps ? After::OVER : After::NEXT;
    }

    __device__ __forceinline__ float fitness(const Assays&) const {
        return (float)(1.0 - distances / (double)worm.step / start);
    }
};

}  // namespace battery
