// Twin of src/task/stdp.rs: the fitness; episodes.cu draws.
#pragma once
#include "../gpu.cuh"

// The fitness of one environment, in the registers of its lane.
struct StdpFitness {
    const uint32_t* target;  // of step i at target[i * lanes]
    uint32_t lanes;
    float fitness;

    __device__ __forceinline__ StdpFitness(const RolloutArgs& args, const uint32_t* target, uint32_t environment)
        : target(target + environment), lanes(args.lanes), fitness(0.0f) {}

    // Elements of the target of one trial.
    __device__ static __forceinline__ uint32_t target_length(const RolloutArgs& args) { return args.length * args.lanes; }

    __device__ __forceinline__ void step(int32_t, float output) {
        const float error = __uint_as_float(*target) - output;
        fitness = fmaf(error, -error, fitness);
        target += lanes;
    }

    __device__ __forceinline__ float finish() { return fitness; }
};
