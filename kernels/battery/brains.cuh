// What answers in a life: one unit, or a network of units, whose synapses may be weights that follow a local rule. A block is a player, a
// warp 32 lives, and a lane's life is its lane's in every row. Twin: src/battery/body.rs with src/network/.
#pragma once
#include "../network/chromosomes.cuh"
#include "../network/plastic.cuh"
#include "../unit/exact.cuh"

namespace battery {

// One unit, whose first inputs are what is sensed and whose first outputs are the motors.
template <class Unit, int COLUMNS>
struct OneUnit {
    const exact::Layout<Unit, COLUMNS> layout;
    float* const weights;
    const uint32_t lane;
    // A window that was kept would refer to the layout beside it, and hold both in memory.
    exact::Rows rows;

    __device__ __forceinline__ OneUnit(const LivesArgs& args, float* shared)
        : layout(args),
          weights(shared),
          lane(threadIdx.x % 32),
          rows(layout.rows(args, weights + layout.weights() + threadIdx.x / 32 * layout.warp(args))) {}

    // By all threads of the block.
    __device__ __forceinline__ void inherit(const LivesArgs& args, uint32_t player, uint32_t trial) {
        exact::make_weights(args, layout, weights, player, trial);
    }

    // A life begins, by a warp.
    __device__ __forceinline__ void begin(const LivesArgs& args, const Row&) {
        for (uint32_t i = lane; i < layout.warp(args); i += 32) rows.memory[i] = 0.0f;
        __syncwarp();
    }

    // The lane's life forgets everything; the warp must meet before the next step.
    __device__ __forceinline__ void forget(const LivesArgs& args) {
        for (uint32_t i = 0; i < args.memory; ++i) {
            rows.memory[i * LANES + lane] = 0.0f;
            if (Unit::LSTM) rows.first[i * LANES + lane] = 0.0f;
        }
        for (uint32_t i = 0; i < args.outputs; ++i) rows.outputs[i * LANES + lane] = 0.0f;
    }

    __device__ __forceinline__ float& shown(uint32_t channel) { return rows.inputs[channel * LANES + lane]; }
    __device__ __forceinline__ float motor(uint32_t output) const { return rows.outputs[output * LANES + lane]; }

    __device__ __forceinline__ void step(const LivesArgs&) {
        exact::Window<Unit, COLUMNS> window(layout, weights, rows);
        window.step();
        rows = window;
    }
};

// A network: the synapses of a neuron one after the other, each in 32 lives, then the neurons. What lives share (weights, rows of one
// unit in work) is so small that many fit side by side; mazes, whose networks are large, have a warp a life (network/episodes.cuh).
template <class Unit, int COLUMNS>
struct Units {
    const Chromosomes<Unit> chromosomes;
    const exact::Layout<Unit, COLUMNS> synapse, neuron;
    const bool units;           // synapses are
    const uint32_t lane, cell;  // rows of a unit's cell
    float* const synapse_weights;
    float* const neuron_weights;
    float* const constants;
    // Rows, in this order.
    float* const senses;          // [sensor][channel]
    float* const neurons;         // [neuron][memory | cell | outputs | inputs]
    float* const synapses;        // [synapse][memory | cell | outputs], or [synapse][RULE_KEPT]
    float* const noise;           // [unit][output], synapses first
    float* const scratch;         // gates of the unit in work
    const uint32_t of_neuron, of_synapse;

    __device__ __forceinline__ Units(const LivesArgs& args, float* shared)
        : chromosomes(args),
          synapse(chromosomes.synapse),
          neuron(chromosomes.neuron),
          units(args.rule == RULE_NONE),
          lane(threadIdx.x % 32),
          cell(Unit::LSTM ? args.memory * LANES : 0),
          synapse_weights(shared),
          neuron_weights(synapse_weights + (units && args.neuron_parameters ? synapse.weights() : 0)),
          constants(neuron_weights + neuron.weights()),
          senses(constants + RULE_CONSTANTS + threadIdx.x / 32 * args.warp_floats),
          neurons(senses + args.sensors * args.outputs * LANES),
          synapses(neurons + args.neurons * (cell + (args.memory + 2 * args.outputs) * LANES)),
          noise(synapses + args.synapses * (units ? cell + (args.memory + args.outputs) * LANES : RULE_KEPT * LANES)),
          scratch(noise + (args.synapses + args.neurons) * args.outputs * LANES),
          of_neuron(cell + (args.memory + 2 * args.outputs) * LANES),
          of_synapse(units ? cell + (args.memory + args.outputs) * LANES : RULE_KEPT * LANES) {}

    __device__ __forceinline__ void inherit(const LivesArgs& args, uint32_t player, uint32_t trial) {
        // Where both are one the synapses' part is the neurons'.
        for (uint32_t i = threadIdx.x; synapse_weights + i < constants; i += blockDim.x) synapse_weights[i] = 0.0f;
        __syncthreads();
        const auto of = [&](uint32_t which) { return which ? neuron_weights : synapse_weights; };
        chromosomes.perturb(
            args, player, trial, units,
            [&](uint32_t which, uint32_t gate, uint32_t row, uint32_t column, float value) {
                of(which)[gate * (which ? neuron : synapse).gate_size + row * neuron.gate_stride + column] = value;
            },
            [&](uint32_t which, uint32_t row, uint32_t column, float value) {
                of(which)[Matrices<Unit>::GATES * (which ? neuron : synapse).gate_size + row * neuron.out_stride + column] = value;
            },
            [&](uint32_t index, float value) { constants[index] = plastic::constant(args.constants, index, value); });
        __syncthreads();
    }

    __device__ __forceinline__ void begin(const LivesArgs& args, const Row& life) {
        for (uint32_t i = lane; i < args.warp_floats; i += 32) senses[i] = 0.0f;
        __syncwarp();
        const uint32_t noises = (args.synapses + args.neurons) * args.outputs;
        const Row row = {life.seed, STREAM_OUTPUT_NOISE, life.generation, life.index};
        for (uint32_t first = 0; args.output_noise > 0.0f && first < noises; first += 4) {
            const float4 n = normals(row, first / 4);
            const float four[4] = {n.x, n.y, n.z, n.w};
            for (uint32_t i = 0; i < 4 && first + i < noises; ++i)
                noise[(first + i) * LANES + lane] = args.output_noise * four[i];
        }
        __syncwarp();
    }

    // As of one unit. What neurons read is made anew in each step, and noise is a life's.
    __device__ __forceinline__ void forget(const LivesArgs& args) {
        for (float* at = neurons + lane; at < noise; at += LANES) *at = 0.0f;
    }

    // Of a sensor's channel: sensor * channels + channel.
    __device__ __forceinline__ float& shown(uint32_t channel) { return senses[channel * LANES + lane]; }
    // Channel 0 of a neuron.
    __device__ __forceinline__ float motor(uint32_t of) const { return outputs_of(of)[lane]; }

    __device__ __forceinline__ float* outputs_of(uint32_t of) const {
        return neurons + of * of_neuron + cell + neuron.matrices.memory * LANES;
    }

    // Rows of a unit that begin at `at`.
    __device__ __forceinline__ exact::Rows rows_at(float* at) const {
        const uint32_t memory = neuron.matrices.memory * LANES;
        float* const outputs = at + memory + cell;
        return {at, Unit::LSTM ? at + memory : scratch, scratch + memory, outputs, outputs + neuron.matrices.outputs * LANES};
    }

    template <class Reads>
    __device__ __forceinline__ void step_unit(exact::Window<Unit, COLUMNS, Reads> window, float* at, const float* noise) {
        window.template step<true>(noise);
        // An LSTM's memory has changed places with what was in work.
        if (Unit::LSTM) {
            for (uint32_t i = lane; i < neuron.matrices.memory * LANES; i += 32) at[i] = window.memory[i];
            __syncwarp();
        }
    }

    // A synapse of neuron `of`, whose rows begin at `at`: what it puts out is added to the neuron's inputs.
    __device__ __forceinline__ void step_synapse(const LivesArgs& args, const float* source, uint32_t of, float* at,
                                                 const float* noise, float* inputs) {
        const uint32_t channels = args.outputs, half = channels / 2;
        const bool split = args.synapse_input == INPUT_SPLIT;
        const exact::Synapse reads = {
            {source, split ? half : channels, 0},
            {outputs_of(of) + (split ? half * LANES : 0), split ? channels - half : channels,
             split ? half : args.synapse_input == INPUT_CONCAT ? channels : 0}};
        const exact::Rows rows = rows_at(at);
        step_unit(exact::Window<Unit, COLUMNS, exact::Synapse>(synapse, synapse_weights, rows, reads), at, noise);
        for (uint32_t c = 0; c < channels; ++c)
            inputs[c * LANES + lane] = inputs[c * LANES + lane] + rows.outputs[c * LANES + lane];
        __syncwarp();
    }

    // The same of a weight that follows a rule.
    __device__ __forceinline__ void step_weight(const LivesArgs& args, const float* source, uint32_t of, float* at,
                                                const float* noise, float* inputs) {
        const float weight = constants[0] + at[lane];
        for (uint32_t c = 0; c < args.outputs; ++c) {
            const float passed = weight * source[c * LANES + lane] + noise[c * LANES + lane];
            inputs[c * LANES + lane] = inputs[c * LANES + lane] + passed;
        }
        float kept[RULE_KEPT];
        for (uint32_t i = 0; i < RULE_KEPT; ++i) kept[i] = at[i * LANES + lane];
        plastic::learn(args.rule, constants, kept, source[lane], outputs_of(of)[lane], shown(args.good) - shown(args.bad));
        for (uint32_t i = 0; i < RULE_KEPT; ++i) at[i * LANES + lane] = kept[i];
    }

    __device__ __forceinline__ void step(const LivesArgs& args) {
        const uint32_t channels = args.outputs * LANES;
        for (uint32_t of = 0; of < args.neurons; ++of) {
            float* const inputs = outputs_of(of) + channels;
            for (uint32_t c = 0; c < args.outputs; ++c) inputs[c * LANES + lane] = 0.0f;
            __syncwarp();
            for (uint32_t s = args.first_synapses[of]; s < args.first_synapses[of + 1]; ++s) {
                const uint32_t from = args.sources[s];
                const float* const source = from < args.sensors ? senses + from * channels : outputs_of(from - args.sensors);
                float* const at = synapses + s * of_synapse;
                if (units) {
                    step_synapse(args, source, of, at, noise + s * channels, inputs);
                } else {
                    step_weight(args, source, of, at, noise + s * channels, inputs);
                }
            }
        }
        __syncwarp();
        for (uint32_t of = 0; of < args.neurons; ++of) {
            float* const at = neurons + of * of_neuron;
            step_unit(exact::Window<Unit, COLUMNS>(neuron, neuron_weights, rows_at(at)), at, noise + (args.synapses + of) * channels);
        }
    }
};

}  // namespace battery
