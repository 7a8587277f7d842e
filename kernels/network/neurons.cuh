// What a network in its maze is in exact mode beside its synapses: where its state lies, its neurons, and products that they share. A
// warp shares an environment's network, and a lane has a column. Twins: src/network/mod.rs and src/unit/.
#pragma once
#include "chromosomes.cuh"
#include "../world/t_maze.cuh"

namespace network {

constexpr uint32_t NEURONS = 6;  // that a warp computes at once
constexpr uint32_t AGENT = 16;   // floats that an agent has room in
static_assert(sizeof(Agent) <= 4 * AGENT, "Agent");

__device__ __forceinline__ void load(const float* from, float (&to)[4]) {
    const float4 four = *(const float4*)from;
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}

__device__ __forceinline__ void store(float* to, const float (&from)[4]) {
    *(float4*)to = make_float4(from[0], from[1], from[2], from[3]);
}

// WIDTH is the columns of a memory.
template <class Kind, int WIDTH>
struct Neurons {
    using Unit = Kind;
    static constexpr int TILES = (WIDTH + 31) / 32, GATES = Matrices<Unit>::GATES;
    const NetworkArgs& args;
    const NetworkLayout& layout;
    const float* weights;
    float* state;
    const float* noise;
    uint32_t lane;

    __device__ __forceinline__ Neurons(const NetworkArgs& args, const NetworkLayout& layout, const float* weights, float* state,
                                       const float* noise)
        : args(args), layout(layout), weights(weights), state(state), noise(noise), lane(threadIdx.x % 32) {}

    __device__ __forceinline__ float* scratch() const { return state + layout.scratch; }
    __device__ __forceinline__ float* neuron_memory(uint32_t n) const { return state + layout.neuron_memory + n * WIDTH; }
    __device__ __forceinline__ float* neuron_outputs(uint32_t n) const {
        return state + layout.neuron_outputs + n * 4 * layout.channel_quads;
    }

    // Whether there is a channel at a place, and which.
    __device__ __forceinline__ bool channel_at(uint32_t place, uint32_t& channel) const {
        channel = place < layout.border ? place : place - layout.gap;
        return place < layout.border || (place >= layout.border + layout.gap && channel < args.channels);
    }

    // sums += rows x weights for NEURONS rows that lie `stride` apart; weights [quad][gate][WIDTH][4], at the lane's column.
    template <int G>
    __device__ __forceinline__ void add_rows(float (&sums)[G][NEURONS], const float* weights, const int (&which)[G],
                                             const float* rows, uint32_t stride, uint32_t quads) const {
#pragma unroll 2
        for (uint32_t q = 0; q < quads; ++q, weights += 4 * GATES * WIDTH, rows += 4) {
            float w[G][4];
#pragma unroll
            for (int g = 0; g < G; ++g) load(weights + which[g] * 4 * WIDTH, w[g]);
#pragma unroll
            for (uint32_t i = 0; i < NEURONS; ++i) {
                float x[4];
                load(rows + i * stride, x);
#pragma unroll
                for (int k = 0; k < 4; ++k)
#pragma unroll
                    for (int g = 0; g < G; ++g) sums[g][i] = fmaf(x[k], w[g][k], sums[g][i]);
            }
        }
    }

    // A sum of the read-out as an output. Where there is no channel the weights are -0, and so is the sum.
    __device__ __forceinline__ static float output(float sum, float noise) {
        return Unit::CLIP ? num::clip_unit(sum + noise) : sum + noise;
    }

    // Neuron n's input: its synapses' outputs, one after the other.
    __device__ __forceinline__ void integrate(float* inputs) const {
        const uint32_t* const first = (const uint32_t*)weights + layout.first;
        for (uint32_t neuron = lane / 4; neuron < layout.neurons; neuron += 8)
            for (uint32_t q = lane % 4; q < layout.channel_quads; q += 4) {
                const float* from = state + layout.outputs + 4 * q + first[neuron] * layout.output_stride;
                float sum[4] = {};
                for (uint32_t left = first[neuron + 1] - first[neuron]; left > 0; --left, from += layout.output_stride) {
                    float x[4];
                    load(from, x);
#pragma unroll
                    for (int j = 0; j < 4; ++j) sum[j] = sum[j] + x[j];
                }
                store(inputs + 4 * (neuron * layout.channel_quads + q), sum);
            }
    }

    // The weighted sums of gates `which` in column tile `t` of neurons n ...; `rows` are their memories, or r * h.
    template <int G>
    __device__ __forceinline__ void neuron_gates(float (&sums)[G][NEURONS], const int (&which)[G], uint32_t n, int t,
                                                 const float* rows, const float* inputs) const {
        const uint32_t channels = 4 * layout.channel_quads;
        const float* at = weights + layout.neuron_gates + 4 * (32 * t + lane % WIDTH);
        add_rows<G>(sums, at, which, rows, WIDTH, layout.memory_quads);
        at += 4 * layout.memory_quads * GATES * WIDTH;
        if (Unit::FEEDBACK) {
            add_rows<G>(sums, at, which, neuron_outputs(n), channels, layout.channel_quads);
            at += 4 * layout.channel_quads * GATES * WIDTH;
        }
        add_rows<G>(sums, at, which, inputs + n * channels, channels, layout.channel_quads);
    }

    __device__ __forceinline__ void remember_neurons(uint32_t n, const float* inputs, float* resets) {
        float update[TILES][NEURONS], held[TILES][NEURONS];
        float* const memories = neuron_memory(n) + lane % WIDTH;
        float* const cells = state + layout.neuron_cell + n * WIDTH + lane % WIDTH;
        const bool mine = lane < WIDTH;
#pragma unroll
        for (int t = 0; t < TILES; ++t) {
            float sums[2][NEURONS] = {};
            neuron_gates<2>(sums, {0, Unit::LSTM ? 2 : 1}, n, t, neuron_memory(n), inputs);
#pragma unroll
            for (uint32_t i = 0; i < NEURONS; ++i) {
                update[t][i] = num::sigmoid(sums[0][i]);
                if (Unit::LSTM) {
                    update[t][i] = update[t][i] * num::tanh(sums[1][i]);
                } else {
                    held[t][i] = memories[i * WIDTH + 32 * t];
                    if (mine) resets[i * WIDTH + 32 * t + lane] = num::sigmoid(sums[1][i]) * held[t][i];
                }
            }
        }
        __syncwarp();
#pragma unroll
        for (int t = 0; t < TILES; ++t) {
            if constexpr (Unit::LSTM) {
                float sums[2][NEURONS] = {};
                neuron_gates<2>(sums, {1, 3}, n, t, neuron_memory(n), inputs);
#pragma unroll
                for (uint32_t i = 0; i < NEURONS; ++i) {
                    const float next = fmaf(num::sigmoid(sums[0][i]), cells[i * WIDTH + 32 * t], update[t][i]);
                    held[t][i] = num::sigmoid(sums[1][i]) * num::tanh(next);
                    if (mine) cells[i * WIDTH + 32 * t] = next;
                }
            } else {
                float sums[1][NEURONS] = {};
                neuron_gates<1>(sums, {2}, n, t, resets, inputs);
#pragma unroll
                for (uint32_t i = 0; i < NEURONS; ++i)
                    held[t][i] = fmaf(update[t][i], num::tanh(sums[0][i]) - held[t][i], held[t][i]);
            }
        }
        __syncwarp();
#pragma unroll
        for (int t = 0; t < TILES; ++t)
#pragma unroll
            for (uint32_t i = 0; i < NEURONS; ++i)
                if (mine) memories[i * WIDTH + 32 * t] = held[t][i];
        __syncwarp();
    }

    // Half a warp has sixteen channels of half of the neurons.
    __device__ __forceinline__ void read_out_neurons(uint32_t n) const {
        constexpr uint32_t HALF = NEURONS / 2;
        const uint32_t of_lane = n + lane / 16 * HALF, channels = 4 * layout.channel_quads;
        for (uint32_t place = lane % 16; place < channels; place += 16) {
            uint32_t channel;
            const bool there = channel_at(place, channel);
            float sums[HALF] = {}, noises[HALF];
#pragma unroll
            for (uint32_t i = 0; i < HALF; ++i) {
                const uint32_t unit = args.synapses + min(of_lane + i, args.neurons - 1);
                noises[i] = there ? noise[unit * args.channels + channel] : 0.0f;
            }
            const float* at = weights + layout.neuron_read_out + 4 * place;
            const float* rows = neuron_memory(of_lane);
#pragma unroll 1
            for (uint32_t q = 0; q < layout.memory_quads; ++q, at += 4 * channels, rows += 4) {
                float w[4];
                load(at, w);
#pragma unroll
                for (uint32_t i = 0; i < HALF; ++i) {
                    float x[4];
                    load(rows + i * WIDTH, x);
#pragma unroll
                    for (int k = 0; k < 4; ++k) sums[i] = fmaf(x[k], w[k], sums[i]);
                }
            }
#pragma unroll
            for (uint32_t i = 0; i < HALF; ++i)
                neuron_outputs(of_lane + i)[place] = output(sums[i], noises[i]);
        }
    }

    // The neurons' part of a network step, behind that of the synapses.
    __device__ __forceinline__ void step_neurons() {
        float* const inputs = scratch();
        integrate(inputs);
        __syncwarp();
        for (uint32_t n = 0; n < layout.neurons; n += NEURONS) {
            remember_neurons(n, inputs, state + layout.resets);
            read_out_neurons(n);
        }
        __syncwarp();
    }
};

}  // namespace network
