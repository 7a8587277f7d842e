// A synapse that is a weight and follows a local rule, twin of src/network/plastic.rs.
#pragma once
#include "../num.cuh"
#include "rules.cuh"

namespace plastic {

// Constant `index` of a player: what evolution begins with, times exp(value), within its range; `constants` as in NetworkRuleArgs.
__device__ __forceinline__ float constant(const float* constants, uint32_t index, float value) {
    const float scaled = constants[3 * index] * num::exp(value), low = constants[3 * index + 1], high = constants[3 * index + 2];
    return scaled < low ? low : scaled > high ? high : scaled;
}

// What follows a step in which its source put out x, its neuron before it y, and the animal was told a reward.
__device__ __forceinline__ void learn(uint32_t rule, const float* constants, float (&kept)[RULE_KEPT], float x, float y, float reward) {
    const float first = constants[0];
    float change, most;
    if (rule == RULE_BCM) {
        const Bcm bcm = {constants[1], constants[2], constants[3], constants[4], constants[5], 0};
        change = rules::follow(bcm, kept[1], kept[2], y) * x;
        most = bcm.most;
    } else {
        const rules::RewardedStdp stdp = {constants[1], constants[2], constants[3], constants[4], constants[5], constants[6]};
        change = rules::follow(stdp, kept[1], kept[2], kept[3], x, y, reward);
        most = constants[7];
    }
    const float moved = kept[0] + change, least = -first, largest = most - first;
    const float raised = moved < least ? least : moved;
    kept[0] = raised > largest ? largest : raised;
}

}  // namespace plastic
