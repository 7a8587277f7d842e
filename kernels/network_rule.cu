// A network in closed loop with its maze whose neurons are units and whose synapses follow a local rule, exact mode: equal to the CPU to
// the last bit. Twins: src/network/plastic.rs with src/unit/ and src/world/.
//
// A block is a player, a warp one environment after another (network/episodes.cuh). Neurons are the work, a lane a column of six
// (network/neurons.cuh). Before them four lanes have a synapse's channels, a quad each, and then a lane has a synapse and its rule.
//
// Floor: what neurons multiply, 1,248 multiply-adds a lane and tick for six of 16/32/16, a seventh of what a network of units takes:
// 3.9 ms for 1,024 x 8 x 400 ticks at 33.5e12 lane instructions a second.
#include "network/episodes.cuh"

namespace network_rule {

// The network of one environment, whose state a warp shares.
template <class Unit, int COLUMNS>
struct Network : network::Neurons<Unit, COLUMNS> {
    using Args = NetworkRuleArgs;
    static constexpr bool UNITS_AS_SYNAPSES = false;
    static constexpr int WIDTH = COLUMNS;
    using Neurons = network::Neurons<Unit, WIDTH>;
    using Neurons::args, Neurons::layout, Neurons::state, Neurons::noise, Neurons::lane, Neurons::neuron_outputs;
    const uint32_t rule;
    const float* const constants;
    const uint32_t* const rows;  // of every synapse: its source, and in the upper half its neuron, behind all sources

    __device__ __forceinline__ Network(const NetworkRuleArgs& args, const float* weights, float* state, const float* noise)
        : Neurons(args.network, args.layout, weights, state, noise),
          rule(args.rule),
          constants(weights + layout.constants),
          rows((const uint32_t*)weights + layout.rows) {}

    __device__ __forceinline__ float& kept(uint32_t which, uint32_t synapse) const {
        return state[network::AGENT + which * layout.synapses + synapse];
    }

    // What a source puts out in channels 4 q ....
    __device__ __forceinline__ void read(uint32_t source, uint32_t senses, uint32_t q, float (&to)[4]) const {
        if (source >= SENSORS) return network::load(neuron_outputs(source - SENSORS) + 4 * q, to);
#pragma unroll
        for (uint32_t j = 0; j < 4; ++j) to[j] = sensed(senses, source, 4 * q + j) ? 1.0f : 0.0f;
    }

    // Every source's outputs times the synapse's weight.
    __device__ __forceinline__ void pass(uint32_t senses) const {
        for (uint32_t synapse = lane / 4; synapse < args.synapses; synapse += 8) {
            const float weight = constants[0] + kept(0, synapse);
            for (uint32_t q = lane % 4; q < layout.channel_quads; q += 4) {
                float x[4];
                read(rows[synapse] & 0xffff, senses, q, x);
#pragma unroll
                for (uint32_t j = 0; j < 4; ++j) {
                    const uint32_t channel = 4 * q + j;
                    x[j] = weight * x[j] + (channel < args.channels ? noise[synapse * args.channels + channel] : 0.0f);
                }
                network::store(state + layout.outputs + synapse * layout.output_stride + 4 * q, x);
            }
        }
    }

    __device__ __forceinline__ void learn(uint32_t senses) const {
        const float reward = (float)sensed(senses, SENSORS - 1, 1) - (float)sensed(senses, SENSORS - 1, 2);
        for (uint32_t synapse = lane; synapse < args.synapses; synapse += 32) {
            const uint32_t source = rows[synapse] & 0xffff, neuron = (rows[synapse] >> 16) - SENSORS - layout.neurons;
            float x[4], own[RULE_KEPT];
            read(source, senses, 0, x);
#pragma unroll
            for (uint32_t i = 0; i < RULE_KEPT; ++i) own[i] = kept(i, synapse);
            plastic::learn(rule, constants, own, x[0], *neuron_outputs(neuron), reward);
#pragma unroll
            for (uint32_t i = 0; i < RULE_KEPT; ++i) kept(i, synapse) = own[i];
        }
    }

    // One network step.
    __device__ __forceinline__ void step(uint32_t senses) {
        pass(senses);
        __syncwarp();
        learn(senses);
        this->step_neurons();
    }
};

}  // namespace network_rule

// Named network_rule_<unit>_<columns>; units of at most so many memory cells.
#define NETWORK(unit, Unit, width) \
    KERNEL(network_rule_##unit##_##width, NetworkRuleArgs, 256, 1) { network::play<network_rule::Network<Unit, width>>(args); }
#define WIDTHS(unit, Unit) \
    NETWORK(unit, Unit, 16) \
    NETWORK(unit, Unit, 32) \
    NETWORK(unit, Unit, 64)
WIDTHS(enu, Enu)
WIDTHS(nfenu, Nfenu)
WIDTHS(gru, Gru)
WIDTHS(lstm, Lstm)
#undef WIDTHS
#undef NETWORK
