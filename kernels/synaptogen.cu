// SynaptoGen's profiles become mean networks, twin of src/synaptogen/assembly.rs, where the equations are: a block is one
// profile and goes through its pairs of layers. Every sum has the CPU's order, so the bits are the same; the rules, E P of a pair's narrow layer
// and what its neurons release and take lie in shared memory.
//
// Most of the work are the multiply-adds of N, the narrow layer x the wide one x genes of each pair: 98,304 for 8-128-4 neurons and
// 64 genes. Not timed on a device.
#include "num.cuh"

namespace {

// Of one profile, as the block has it in shared memory.
struct Assembling {
    const AssembleArgs& args;
    const float* parameters;
    float* rules;         // P, [gene before][gene behind]
    float* conductances;  // C of each receptor with the one neurotransmitter that it takes
    float* reach;         // E P of the narrow layer, or E P^T, [neuron][gene]
    float* effects;       // Q C of the layer before, [neuron][receptor]
    float* receptors;     // R of the layer behind, [neuron][receptor]

    // E of a raw X, whose faintest are not expressed.
    __device__ __forceinline__ static float expression(float x) {
        return fabsf(x) < 2.3283064365386963e-10f ? 0.0f : x * x;
    }

    __device__ __forceinline__ void map_rules(const float* raw) const {
        const uint32_t genes = args.genes;
        const float shift = 3.0f / (float)genes;
        for (uint32_t i = threadIdx.x; i < genes * genes; i += blockDim.x) {
            if (!args.coexpressed) {
                rules[i] = num::sigmoid(raw[i] * 10.0f);
            } else {
                const bool is_coexpressed = args.coexpressed[i];
                const float p = num::sigmoid((raw[i] + (is_coexpressed ? shift : -shift)) * 10.0f);
                rules[i] = fmaf(p, 0.5f, is_coexpressed ? 0.5f : 0.0f);
            }
        }
    }

    // Of one row of `kinds` raw numbers: put(kind, share).
    template <class Put>
    __device__ __forceinline__ static void softmax(const float* raw, uint32_t kinds, Put put) {
        float highest = -INFINITY, sum = 0.0f;
        for (uint32_t k = 0; k < kinds; ++k) highest = raw[k] > highest ? raw[k] : highest;
        for (uint32_t k = 0; k < kinds; ++k) sum = sum + num::exp(raw[k] - highest);
        for (uint32_t k = 0; k < kinds; ++k) put(k, num::exp(raw[k] - highest) / sum);
    }

    // N, G and W of the pair of layers `pair`, written from `out` on. The narrow layer is the one before where both are alike.
    __device__ __forceinline__ void connect(uint32_t pair, size_t out) const {
        const uint32_t genes = args.genes, kinds = args.neurotransmitters, takers = 2 * kinds;
        const uint32_t pre = args.layers[pair].neurons, post = args.layers[pair + 1].neurons;
        const float* const of_pre = parameters + args.layers[pair].expression;
        const float* const of_post = parameters + args.layers[pair + 1].expression;
        const bool is_pre_narrow = pre <= post;
        const uint32_t narrow = is_pre_narrow ? pre : post;
        for (uint32_t i = threadIdx.x; i < pre; i += blockDim.x)
            softmax(parameters + args.layers[pair].neurotransmitters + i * kinds, kinds, [&](uint32_t kind, float share) {
                effects[i * takers + 2 * kind] = share * conductances[2 * kind];
                effects[i * takers + 2 * kind + 1] = share * conductances[2 * kind + 1];
            });
        for (uint32_t j = threadIdx.x; j < post; j += blockDim.x)
            softmax(parameters + args.layers[pair + 1].receptors + j * takers, takers,
                    [&](uint32_t kind, float share) { receptors[j * takers + kind] = share; });
        const float* const of_narrow = is_pre_narrow ? of_pre : of_post;
        const float* const of_wide = is_pre_narrow ? of_post : of_pre;
        const uint32_t row_step = is_pre_narrow ? genes : 1, column_step = is_pre_narrow ? 1 : genes;
        for (uint32_t at = threadIdx.x; at < narrow * genes; at += blockDim.x) {
            const float* const x = of_narrow + at / genes * genes;
            const float* const p = rules + at % genes * column_step;
            float sum = 0.0f;
            for (uint32_t k = 0; k < genes; ++k) sum = fmaf(expression(x[k]), p[k * row_step], sum);
            reach[at] = sum;
        }
        __syncthreads();
        for (uint32_t at = threadIdx.x; at < pre * post; at += blockDim.x) {
            const uint32_t i = at / post, j = at % post;
            const float* const reached = reach + (is_pre_narrow ? i : j) * genes;
            const float* const x = of_wide + (is_pre_narrow ? j : i) * genes;
            float number = 0.0f, conductance = 0.0f;
            for (uint32_t k = 0; k < genes; ++k) number = fmaf(reached[k], expression(x[k]), number);
            for (uint32_t k = 0; k < takers; ++k)
                conductance = fmaf(effects[i * takers + k], receptors[j * takers + k], conductance);
            args.numbers[out + at] = number;
            args.conductances[out + at] = conductance;
            args.weights[out + at] = number * conductance;
        }
        __syncthreads();
    }
};

}  // namespace

KERNEL(assemble, AssembleArgs, THREADS, 4) {
    SHARED(shared);
    const float* const parameters = args.parameters + (size_t)blockIdx.x * args.parameter_count;
    const uint32_t genes = args.genes, takers = 2 * args.neurotransmitters;
    float* const rules = (float*)shared;
    float* const conductances = rules + genes * genes;
    float* const reach = conductances + takers;
    float* const effects = reach + args.narrowest * genes;
    const Assembling all = {args, parameters, rules, conductances, reach, effects, effects + args.widest * takers};
    all.map_rules(parameters + args.rules);
    for (uint32_t receptor = threadIdx.x; receptor < takers; receptor += blockDim.x) {
        const float strength = num::sigmoid(parameters[args.receptor_strengths + receptor / 2 * takers + receptor]);
        conductances[receptor] = receptor % 2 == 0 ? strength : -strength;
    }
    __syncthreads();
    size_t out = (size_t)blockIdx.x * args.pairs;
    for (uint32_t pair = 0; pair + 1 < args.layer_count; ++pair) {
        all.connect(pair, out);
        out += (size_t)args.layers[pair].neurons * args.layers[pair + 1].neurons;
    }
}
