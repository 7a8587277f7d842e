// Populations of neurons with local rules, through all of assay G in one launch: first weights, learning, and what they then answer.
// Twin: src/battery/gratings.rs. What becomes of the answers the host works out.
//
// gratings_<input>, gratings_spiking_<input>: a thread is a neuron, with its weights and what it is shown in registers; 16 neighbours are
// a population, a warp two of them, a block any number of warps. Nothing is shared but the filters' gains, and nobody waits: neurons of a
// population make the same inputs, each for itself, a fifth of its instructions. In the CPU's order of every sum, so a presentation
// is a chain of as many additions as there are inputs, and then a turn of independent weights: about 430 instructions of a warp with
// simple inputs, 260 with linear ones, 110 with energy, for sm_90a, and 100 x 33 more of neurons that spike. A scheduler seldom has more
// than one warp, so it is latency that bounds: some 500 cycles a presentation, 10 ms for the 40,000 of two populations or of 1,000.
#include "battery/gratings.cuh"

#define LEARN(name, Shown, is_spiking)                                                                        \
    KERNEL(gratings_##name, GratingsArgs, THREADS, 1) {                                                       \
        SHARED(shared);                                                                                       \
        battery::gratings::live<battery::gratings::Shown, is_spiking>(args, {reinterpret_cast<float*>(shared)}); \
    }
LEARN(linear, Linear, false)
LEARN(simple, Simple, false)
LEARN(energy, Energy, false)
LEARN(spiking_linear, Linear, true)
LEARN(spiking_simple, Simple, true)
LEARN(spiking_energy, Energy, true)
#undef LEARN

// Neurons with given inputs, and membranes with given currents, a thread a neuron; for tests.
KERNEL(rule_moves, RuleMovesArgs, THREADS, 1) {
    const uint32_t number = blockIdx.x * THREADS + threadIdx.x;
    if (number >= args.neurons) return;
    rules::Neuron<RULE_INPUTS> neuron = {};
    for (uint32_t i = 0; i < RULE_INPUTS; ++i) neuron.weights[i] = args.weights[number * RULE_INPUTS + i];
    neuron.threshold = args.threshold;
    for (uint32_t step = 0; step < args.steps; ++step) {
        float input[RULE_INPUTS];
        for (uint32_t i = 0; i < RULE_INPUTS; ++i) input[i] = args.given[step * RULE_INPUTS + i];
        neuron.step(args, input);
        float* to = args.out + (size_t)(step * args.neurons + number) * (3 + RULE_INPUTS);
        *to++ = neuron.output;
        *to++ = neuron.trace;
        *to++ = neuron.threshold;
        for (uint32_t i = 0; i < RULE_INPUTS; ++i) *to++ = neuron.weights[i];
    }
}

KERNEL(lif_moves, LifMovesArgs, THREADS, 1) {
    const uint32_t number = blockIdx.x * THREADS + threadIdx.x;
    if (number >= args.neurons) return;
    rules::Membrane membrane = {};
    for (uint32_t step = 0; step < args.steps; ++step) {
        const size_t at = (size_t)step * args.neurons + number;
        const bool spikes = membrane.step(args.lif, args.given[at]);
        args.out[2 * at] = membrane.potential;
        args.out[2 * at + 1] = (float)spikes;
    }
}
