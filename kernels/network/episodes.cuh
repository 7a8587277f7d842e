// Whole episodes of a network in its maze, exact mode: a block is one player (an offspring, or the centre behind them) in some
// environments. Its weights lie in shared memory, made there by the block itself; its warps take one environment after another, each
// alone through the whole episode, so a dead agent frees its warp, and between the ticks of an episode there is no barrier but the
// warp's own. Twin: src/workload/maze/.
#pragma once
#include "neurons.cuh"
#include "plastic.cuh"

namespace network {

template <class Network>
__device__ __forceinline__ void play(const typename Network::Args& all) {
    using Unit = typename Network::Unit;
    constexpr uint32_t WIDTH = Network::WIDTH, GATES = Network::GATES;
    const NetworkArgs& args = all.network;
    const NetworkLayout& layout = all.layout;
    const uint32_t players = args.players, player = blockIdx.x % players, trial = blockIdx.y;
    const uint32_t groups = gridDim.x / players, share = (args.environments + groups - 1) / groups;
    const uint32_t begin = blockIdx.x / players * share, end = min(begin + share, args.environments);
    if (*args.halted) return;
    SHARED(shared);
    float* const weights = (float*)shared;
    uint32_t* const rows = (uint32_t*)weights + layout.rows;
    uint32_t* const first = (uint32_t*)weights + layout.first;
    uint32_t* const next = first + layout.neurons + 1;
    for (uint32_t i = threadIdx.x; i < layout.rows; i += blockDim.x) weights[i] = -0.0f;
    for (uint32_t n = threadIdx.x; n <= layout.neurons; n += blockDim.x) first[n] = args.first[min(n, args.neurons)];
    if (threadIdx.x == 0) *next = begin;
    __syncthreads();
    for (uint32_t synapse = threadIdx.x; synapse < layout.synapses; synapse += blockDim.x) {
        uint32_t neuron = 0;
        while (neuron + 1 < args.neurons && synapse >= first[neuron + 1]) ++neuron;
        const uint32_t source = synapse < args.synapses ? args.sources[synapse] : 0;
        rows[synapse] = source | (SENSORS + layout.neurons + neuron) << 16;
    }
    const uint32_t channels = 4 * layout.channel_quads, behind = args.memory + (Unit::FEEDBACK ? args.channels : 0);
    const bool same = args.neuron_parameters == 0;
    const auto place = [&](uint32_t channel) { return channel < layout.border ? channel : channel + layout.gap; };
    // Where a gate's row lies: memory, then what is fed back, then inputs.
    const auto row_of = [&](uint32_t row) {
        if (row < args.memory) return row;
        if (row < behind) return 4 * layout.memory_quads + place(row - args.memory);
        const uint32_t input = row - behind, second = input >= args.channels;
        return 4 * (layout.memory_quads + layout.feedback_quads) + second * channels + place(input - second * args.channels);
    };
    Chromosomes<Unit>(args).perturb(
        args, player, trial, Network::UNITS_AS_SYNAPSES,
        [&](uint32_t neuron, uint32_t gate, uint32_t row, uint32_t column, float value) {
            const uint32_t k = row_of(row), in_quads = ((k / 4 * GATES + gate) * WIDTH + column) * 4 + k % 4;
            if (neuron || same) weights[layout.neuron_gates + in_quads] = value;
            if (neuron) return;
            // Of the synapses only the inputs lie in quads, behind as many rows as are before them.
            weights[row < behind ? (k * GATES + gate) * WIDTH + column : in_quads] = value;
        },
        [&](uint32_t neuron, uint32_t row, uint32_t channel, float value) {
            const uint32_t at = place(channel);
            if (neuron || same) weights[layout.neuron_read_out + (row / 4 * channels + at) * 4 + row % 4] = value;
            if (!neuron) weights[layout.read_out + row * layout.read_out_stride + at] = value;
        },
        [&](uint32_t index, float value) {
            if constexpr (!Network::UNITS_AS_SYNAPSES) weights[layout.constants + index] = plastic::constant(all.constants, index, value);
        });
    __syncthreads();

    const uint32_t lane = threadIdx.x % 32;
    float* const state = weights + layout.state + threadIdx.x / 32 * layout.warp;
    for (;;) {
        uint32_t environment = 0;
        if (lane == 0) environment = atomicAdd(next, 1);
        environment = __shfl_sync(~0u, environment, 0);
        if (environment >= end) return;
        const size_t maze = (size_t)trial * args.environments + environment;
        for (uint32_t i = lane; i < layout.warp; i += 32) state[i] = 0.0f;
        __syncwarp();
        // In shared memory: in registers it would be in the way for the length of a tick.
        Agent& agent = *(Agent*)state;
        if (lane == 0) agent = Agent(args, args.mazes[maze]);
        __syncwarp();
        Network network(all, weights, state, args.noise + maze * (args.synapses + args.neurons) * args.channels);
        uint32_t action = 0;
        for (; action < args.actions && agent.maze.is_alive(); ++action) {
            const uint32_t senses = agent.senses();
            float motors[MOTORS] = {};
            for (uint32_t tick = 0; tick < args.ticks; ++tick) {
                network.step(senses);
#pragma unroll
                for (uint32_t k = 0; k < MOTORS; ++k)
                    motors[k] = motors[k] + *network.neuron_outputs(args.neurons - MOTORS + k);
            }
            if (lane == 0) agent.act(motors[0], motors[1], motors[2], args.swaps[maze * args.actions + action]);
            __syncwarp();
        }
        if (lane == 0) {
            const size_t out = ((size_t)trial * players + player) * args.environments + environment;
            args.fitness[out] = agent.rewards;
            args.lived[out] = action * args.ticks;
        }
    }
}

}  // namespace network
