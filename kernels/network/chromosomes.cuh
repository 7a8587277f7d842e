// The parameters of a network: two units, one that is both, or one and the constants of a rule.
#pragma once
#include "../unit/unit.cuh"

template <class Unit>
struct Chromosomes {
    Matrices<Unit> synapse, neuron;

    template <class Args>
    __device__ __forceinline__ explicit Chromosomes(const Args& args)
        : Chromosomes(args, args.synapse_input == INPUT_CONCAT ? 2 * args.channels : args.channels) {}

    template <class Args>
    __device__ __forceinline__ Chromosomes(const Args& args, uint32_t inputs)
        : synapse(inputs, inputs, args.memory, args.channels),
          neuron(args.channels, args.channels, args.memory, args.channels) {}

    // A player's parameters over the threads of the block. Stores each with gate(neuron, which, row, column, value) or
    // read_out(neuron, row, column, value); `neuron` is 0 or 1 for the unit it belongs to, 0 where both are one.
    template <class Args, class Gate, class ReadOut>
    __device__ __forceinline__ void perturb(const Args& args, uint32_t player, uint32_t trial, Gate gate, ReadOut read_out) const {
        perturb(args, player, trial, true, gate, read_out, [](uint32_t, float) {});
    }

    // The same where synapses may be no `units`: then their parameters are stored with constant(index, value).
    template <class Args, class Gate, class ReadOut, class Constant>
    __device__ __forceinline__ void perturb(const Args& args, uint32_t player, uint32_t trial, bool units, Gate gate,
                                            ReadOut read_out, Constant constant) const {
        const Parameters parameters(args, player, trial);
        const Divisor by_memory(args.memory), by_outputs(args.channels);
        const uint32_t border = args.neuron_parameters ? args.neuron_parameters : args.parameters;
        for (uint32_t block = threadIdx.x; block < (args.parameters + 3) / 4; block += blockDim.x) {
            float value[4];
            parameters.of(block, value);
#pragma unroll
            for (uint32_t i = 0; i < 4; ++i) {
                const uint32_t index = 4 * block + i, which = index >= border;
                if (index >= args.parameters) break;
                if (!units && !which) {
                    constant(index, value[i]);
                    continue;
                }
                uint32_t within = which ? index - border : index, matrix = 0;
                const uint32_t size = (which ? neuron : synapse).gate_rows * args.memory;
                for (; matrix < Matrices<Unit>::GATES && within >= size; ++matrix) within -= size;
                const bool out = matrix == Matrices<Unit>::GATES;
                const uint32_t row = (out ? by_outputs : by_memory).divide(within);
                if (out) {
                    read_out(which, row, within - row * args.channels, value[i]);
                } else {
                    gate(which, matrix, row, within - row * args.memory, value[i]);
                }
            }
        }
    }
};
