// Local learning rules, twin of src/network/rules.rs, where the equations are: the same operations on floats in the same order.
// A neuron's weights and what it is shown are arrays of a known length, which the compiler keeps in registers.
#pragma once
#include "../gpu.cuh"

namespace rules {

// BCM, and with a trace below 1 the trace rule. What a weight changes by, over its input.
__device__ __forceinline__ float follow(const Bcm& rule, float& trace, float& threshold, float output) {
    trace = (1.0f - rule.trace) * trace + rule.trace * output;
    const float step = rule.rate * trace * (trace - threshold);
    threshold = threshold + (trace * trace / rule.goal - threshold) / rule.tau;
    return step;
}

struct RewardedStdp {
    float tau_pre, tau_post, tau_tag, potentiation, depression, rate;
};

// What a weight changes by.
__device__ __forceinline__ float follow(const RewardedStdp& rule, float& pre, float& post, float& tag, float x, float y, float surprise) {
    const float before = pre, after = post;
    tag = tag + (rule.potentiation * before * y - rule.depression * after * x - tag / rule.tau_tag);
    pre = before + (x - before / rule.tau_pre);
    post = after + (y - after / rule.tau_post);
    return rule.rate * surprise * tag;
}

template <uint32_t INPUTS>
struct Neuron {
    float weights[INPUTS], output, trace, threshold;

    // What it gets from an input, without a limit.
    __device__ __forceinline__ float drive(const float (&input)[INPUTS]) const {
        float sum = 0.0f;
#pragma unroll
        for (uint32_t i = 0; i < INPUTS; ++i) sum = sum + weights[i] * input[i];
        return sum;
    }

    template <class Args>
    __device__ __forceinline__ void respond(const Args& args, const float (&input)[INPUTS]) {
        constexpr float LARGEST = 20.0f;
        const float least = args.rule.is_signed ? -LARGEST : 0.0f, sum = drive(input);
        output = sum < least ? least : sum > LARGEST ? LARGEST : sum;
    }

    __device__ __forceinline__ void learn(const Bcm& rule, const float (&input)[INPUTS]) {
        const float least = rule.is_signed ? -INFINITY : 0.0f;
        const float step = follow(rule, trace, threshold, output);
#pragma unroll
        for (uint32_t i = 0; i < INPUTS; ++i) {
            const float moved = weights[i] + step * input[i];
            weights[i] = moved < least ? least : fminf(moved, rule.most);
        }
    }

    // A presentation.
    template <class Args>
    __device__ __forceinline__ void step(const Args& args, const float (&input)[INPUTS]) {
        respond(args, input);
        learn(args.rule, input);
    }
};

struct Membrane {
    float potential;
    int32_t rest;

    // Whether it spikes.
    __device__ __forceinline__ bool step(const Lif& lif, float current) {
        if (rest > 0) {
            --rest;
            return false;
        }
        potential = potential + (current - potential) / lif.tau;
        const bool spikes = potential >= 1.0f;
        if (spikes) *this = {0.0f, lif.refractory};
        return spikes;
    }
};

// The same rule on counts of spikes, and a bias.
template <uint32_t INPUTS>
struct SpikingNeuron : Neuron<INPUTS> {
    float bias;
    Membrane membrane;

    template <class Args>
    __device__ __forceinline__ void respond(const Args& args, const float (&input)[INPUTS]) {
        constexpr uint32_t PRESENTATION = 100;
        const float current = this->drive(input) + bias;
        uint32_t spikes = 0;
#pragma unroll 1
        for (uint32_t step = 0; step < PRESENTATION; ++step) spikes += membrane.step(args.lif, current);
        this->output = 0.5f * (float)spikes;
    }

    template <class Args>
    __device__ __forceinline__ void step(const Args& args, const float (&input)[INPUTS]) {
        constexpr float HOMEOSTASIS = 4e-4f, WANTED = 0.5f, MOST = 2.0f;
        respond(args, input);
        this->learn(args.rule, input);
        const float moved = bias + HOMEOSTASIS * (WANTED - this->output);
        bias = moved < -MOST ? -MOST : moved > MOST ? MOST : moved;
    }
};

}  // namespace rules
