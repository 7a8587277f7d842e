// Who acts in a world, twin of src/policy.rs: a multilayer perceptron with its weights in shared memory, or chance. A thread is
// one environment.
#pragma once
#include "rng.cuh"

// The highest output, of equal ones the first; NaN is never the highest.
template <uint32_t N>
__device__ __forceinline__ void choose(const float (&outputs)[N], int32_t& action) {
    action = 0;
    float best = outputs[0];
#pragma unroll
    for (uint32_t i = 1; i < N; ++i)
        if (outputs[i] > best || is_nan(best)) {
            best = outputs[i];
            action = (int32_t)i;
        }
}

template <uint32_t N>
__device__ __forceinline__ void choose(const float (&outputs)[N], float2& action) {
    action = make_float2(outputs[0], outputs[1]);
}

// Steps whose choices are digits of one word.
template <uint32_t N>
constexpr uint32_t DIGITS = N <= 2 ? 32 : N == 3 ? 8 : N == 4 ? 16 : N <= 16 ? 4 : 1;

// At random: a digit a step in base N where actions are counted, two words where they are numbers.
template <uint32_t N>
__device__ __forceinline__ void choose(const Row& row, uint32_t step, int32_t& action) {
    const uint32_t number = step / DIGITS<N>, digit = step % DIGITS<N>, i = number % 4;
    const uint4 w = words(row, number / 4);
    uint32_t word = i == 0 ? w.x : i == 1 ? w.y : i == 2 ? w.z : w.w, power = N;
#pragma unroll
    for (uint32_t bit = 1; bit < DIGITS<N>; bit *= 2, power *= power)
        if (digit & bit) word *= power;
    action = (int32_t)__umulhi(word, N);
}

template <uint32_t N>
__device__ __forceinline__ void choose(const Row& row, uint32_t step, float2& action) {
    const uint4 w = words(row, step / 2);
    const auto number = [](uint32_t word) { return 2.0f * unit_uniform(word) - 1.0f; };
    action = make_float2(number(step % 2 ? w.z : w.x), number(step % 2 ? w.w : w.y));
}

__device__ __forceinline__ float activate(float x, uint32_t activation) {
    switch (activation) {
        case ACTIVATION_RELU: return x < 0.0f ? 0.0f : x;
        case ACTIVATION_TANH: return num::tanh(x);
        case ACTIVATION_SIGMOID: return num::sigmoid(x);
        case ACTIVATION_SELU: return num::selu(x);
        default: return x;
    }
}

// The layers as the host has laid them out: of every hidden neuron its bias, then its weights in the order of its inputs; of the
// last layer the biases, then of each of its inputs all weights.
template <uint32_t INPUTS, uint32_t OUTPUTS>
struct Perceptron {
    const float* parameters;  // in shared memory
    float* neurons;           // this thread's: [2][widest layer that is not the last hidden one], blockDim.x apart

    template <class Args>
    __device__ __forceinline__ void outputs(const Args& args, const float (&inputs)[INPUTS], float (&out)[OUTPUTS]) const {
        const float* last = parameters + args.last_layer;
#pragma unroll
        for (uint32_t k = 0; k < OUTPUTS; ++k) out[k] = last[k];
        last += OUTPUTS;
        const auto give = [&](float x) {
#pragma unroll
            for (uint32_t k = 0; k < OUTPUTS; ++k) out[k] = fmaf(x, last[k], out[k]);
            last += OUTPUTS;
        };
        if (args.hidden == 0) {
#pragma unroll
            for (uint32_t i = 0; i < INPUTS; ++i) give(inputs[i]);
            return;
        }
        const float* p = parameters;
        const uint32_t stride = blockDim.x;
        const float* from = neurons;
        float* to = neurons;
        for (uint32_t layer = 0; layer < args.hidden; ++layer) {
            const uint32_t width = args.widths[layer];
            // Neurons of the last hidden layer go straight into the outputs.
            for (uint32_t j = 0; j < width; ++j) {
                float sum = *p++;
                if (layer == 0) {
#pragma unroll
                    for (uint32_t i = 0; i < INPUTS; ++i) sum = fmaf(inputs[i], p[i], sum);
                    p += INPUTS;
                } else {
                    const uint32_t before = args.widths[layer - 1];
                    for (uint32_t i = 0; i < before; ++i) sum = fmaf(from[i * stride], *p++, sum);
                }
                const float x = activate(sum, args.activation);
                if (layer + 1 == args.hidden)
                    give(x);
                else
                    to[j * stride] = x;
            }
            from = to;
            to = layer % 2 ? neurons : neurons + args.widest * stride;
        }
    }
};
