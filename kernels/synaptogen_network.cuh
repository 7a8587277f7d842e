// A profile's mean network in the shared memory of the block that owns it, twin of
// src/synaptogen/{assembly,network,gradient}.rs, where the equations are: assembled, asked for a batch, and its slopes
// taken back to the raw parameters. Every sum has the CPU's order.
//
// All matrices of a pair of layers are [narrow][wide], as there. A function ends without a barrier, and says after
// which others and a barrier it may be called.
#pragma once
#include "product.cuh"

namespace dqn {

struct Zero {
    __device__ __forceinline__ float operator()(uint32_t, uint32_t) const { return 0.0f; }
};

struct Network {
    const Learner& plan;
    LearnerLayer* layers;
    LearnerPair* pairs;
    float* shared;

    __device__ __forceinline__ float* at(uint32_t place) const { return shared + place; }
    __device__ __forceinline__ uint32_t pair_count() const { return plan.layer_count - 1; }
    __device__ __forceinline__ uint32_t takers() const { return 2 * plan.neurotransmitters; }

    // Of one of all expressed genes, or of all rules, where rows of genes are apart.
    __device__ __forceinline__ uint32_t place_of(uint32_t i) const {
        const uint32_t row = (uint32_t)((uint64_t)i * plan.gene_reciprocal >> 31);
        return i + row * (plan.gene_stride - plan.genes);
    }

    __device__ __forceinline__ float* expression(const LearnerLayer& layer) const {
        return at(plan.expression) + layer.expressed * plan.gene_stride;
    }
    __device__ __forceinline__ float* expression_slopes(const LearnerLayer& layer) const {
        return at(plan.expression_slopes) + layer.expressed * plan.gene_stride;
    }
    __device__ __forceinline__ float* reach(const LearnerPair& pair) const {
        return at(plan.reach) + pair.reached * plan.gene_stride;
    }

    // Q C of a neuron of the layer before, for a receptor.
    __device__ __forceinline__ float effect(const LearnerLayer& layer, uint32_t neuron, uint32_t receptor) const {
        const float share = at(plan.shares)[(layer.givers + neuron) * plan.neurotransmitters + receptor / 2];
        return share * at(plan.strengths)[receptor];
    }
    // R of a neuron of the layer behind.
    __device__ __forceinline__ float taken(const LearnerLayer& layer, uint32_t neuron, uint32_t receptor) const {
        const uint32_t first = plan.raw_takers - plan.raw_givers;
        return at(plan.shares)[first + (layer.takers + neuron) * takers() + receptor];
    }
    __device__ __forceinline__ const float* biases() const { return at(plan.shares) + (plan.raw_biases - plan.raw_givers); }

    // use(i, load(i)) for every i < count, a few loads of global memory at a time.
    template <class Load, class Use>
    __device__ __forceinline__ static void each(uint32_t count, Load load, Use use) {
        constexpr uint32_t TOGETHER = 4;
        for (uint32_t first = threadIdx.x; first < count; first += TOGETHER * blockDim.x) {
            decltype(load(0u)) loaded[TOGETHER];
#pragma unroll
            for (uint32_t k = 0; k < TOGETHER; ++k)
                loaded[k] = load(first + k * blockDim.x < count ? first + k * blockDim.x : first);
#pragma unroll
            for (uint32_t k = 0; k < TOGETHER; ++k)
                if (first + k * blockDim.x < count) use(first + k * blockDim.x, loaded[k]);
        }
    }

    // Assembly. From the raw parameter i to what follows from it alone; T and R as they are.
    __device__ __forceinline__ void map(uint32_t i, float raw) const {
        if (i < plan.raw_givers) {
            at(plan.expression)[place_of(i)] = fabsf(raw) < 0x1p-32f ? 0.0f : raw * raw;
        } else if (i < plan.raw_rules) {
            at(plan.shares)[i - plan.raw_givers] = raw;
        } else if (i < plan.raw_strengths) {
            at(plan.rules)[place_of(i - plan.raw_rules)] = rule(i - plan.raw_rules, raw);
        } else {
            const uint32_t kind = (i - plan.raw_strengths) / takers(), receptor = (i - plan.raw_strengths) % takers();
            const float strength = num::sigmoid(raw);
            if (receptor / 2 == kind) at(plan.strengths)[receptor] = receptor % 2 == 0 ? strength : -strength;
        }
    }

    // P of a raw O.
    __device__ __forceinline__ float rule(uint32_t i, float raw) const {
        if (!plan.coexpressed) return num::sigmoid(raw * 10.0f);
        const float shift = 3.0f / (float)plan.genes;
        const bool is_coexpressed = plan.coexpressed[i];
        const float p = num::sigmoid((raw + (is_coexpressed ? shift : -shift)) * 10.0f);
        return fmaf(p, 0.5f, is_coexpressed ? 0.5f : 0.0f);
    }

    // Softmax of T and R in their place, and E P; after `map`.
    __device__ __forceinline__ void share_and_reach() const {
        const uint32_t givers = (plan.raw_takers - plan.raw_givers) / plan.neurotransmitters;
        for (uint32_t row = threadIdx.x; row < givers + plan.bias_count; row += blockDim.x) {
            const bool gives = row < givers;
            const uint32_t kinds = gives ? plan.neurotransmitters : takers();
            float* const x = at(plan.shares) + (gives ? row * kinds : plan.raw_takers - plan.raw_givers + (row - givers) * kinds);
            float highest = -INFINITY, sum = 0.0f;
            for (uint32_t k = 0; k < kinds; ++k) highest = x[k] > highest ? x[k] : highest;
            for (uint32_t k = 0; k < kinds; ++k) {
                x[k] = num::exp(x[k] - highest);
                sum = sum + x[k];
            }
            for (uint32_t k = 0; k < kinds; ++k) x[k] = x[k] / sum;
        }
        const uint32_t genes = plan.genes, stride = plan.gene_stride;
        for (uint32_t p = 0; p < pair_count(); ++p) {
            const LearnerPair& pair = pairs[p];
            const LearnerLayer& narrow = layers[pair.narrow];
            float* const out = reach(pair);
            const product::Along left = {expression(narrow), stride};
            const auto put = [&](uint32_t row, uint32_t gene, float sum) { out[row * stride + gene] = sum; };
            if (pair.is_pre_narrow)
                product::multiply<1>(narrow.neurons, genes, genes, left, product::Across{at(plan.rules), stride}, Zero(), put);
            else
                product::multiply<1>(narrow.neurons, genes, genes, left, product::Along{at(plan.rules), stride}, Zero(), put);
        }
    }

    // N, G and W; after `share_and_reach`.
    __device__ __forceinline__ void connect() const {
        for (uint32_t p = 0; p < pair_count(); ++p) {
            const LearnerPair& pair = pairs[p];
            const LearnerLayer &narrow = layers[pair.narrow], &wide = layers[pair.wide];
            const auto put = [&](uint32_t row, uint32_t column, float number) {
                float conductance = 0.0f;
                for (uint32_t k = 0; k < takers(); ++k)
                    conductance = pair.is_pre_narrow ? fmaf(effect(narrow, row, k), taken(wide, column, k), conductance)
                                                     : fmaf(taken(narrow, row, k), effect(wide, column, k), conductance);
                const uint32_t i = pair.matrix + row * pair.stride + column;
                at(plan.numbers)[i] = number;
                at(plan.conductances)[i] = conductance;
                at(plan.weights)[i] = number * conductance;
            };
            product::multiply<2>(narrow.neurons, wide.neurons, plan.genes, product::Along{reach(pair), plan.gene_stride},
                                 product::Along{expression(wide), plan.gene_stride}, Zero(), put);
        }
    }

    // The network. One pair of layers of it for all examples of a batch; after that of the pair before.
    __device__ __forceinline__ void forward(uint32_t p, const float* weights, const float* of_biases) const {
        const LearnerPair& pair = pairs[p];
        const LearnerLayer &pre = layers[p], &post = layers[p + 1];
        const bool is_last = p + 1 == pair_count();
        float* const out = at(post.activities);
        const float* const matrix = weights + pair.matrix;
        const float* const bias = of_biases + post.takers;
        const product::Along inputs = {at(pre.activities), pre.stride};
        const auto start_of = [&](uint32_t, uint32_t neuron) { return bias[neuron]; };
        const auto put = [&](uint32_t example, uint32_t neuron, float sum) {
            out[example * post.stride + neuron] = is_last ? sum : num::selu(sum);
        };
        if (pair.is_pre_narrow)
            product::multiply<8>(plan.batch, post.neurons, pre.neurons, inputs, product::Across{matrix, pair.stride}, start_of, put);
        else
            product::multiply<2>(
                post.neurons, plan.batch, pre.neurons, product::Along{matrix, pair.stride}, inputs,
                [&](uint32_t neuron, uint32_t example) { return start_of(example, neuron); },
                [&](uint32_t neuron, uint32_t example, float sum) { put(example, neuron, sum); });
    }

    // The same of one example by one warp, all pairs; the input lies elsewhere. Outputs follow behind a __syncwarp.
    __device__ __forceinline__ const float* ask(const float* input, uint32_t example) const {
        const float* from = input;
        for (uint32_t p = 0; p < pair_count(); ++p) {
            const LearnerPair& pair = pairs[p];
            const LearnerLayer &pre = layers[p], &post = layers[p + 1];
            float* const to = at(post.activities) + example * post.stride;
            const float* const matrix = at(plan.weights) + pair.matrix;
            for (uint32_t j = threadIdx.x % LANES; j < post.neurons; j += LANES) {
                float sum = biases()[post.takers + j];
                if (pair.is_pre_narrow)
                    for (uint32_t k = 0; k < pre.neurons; ++k) sum = fmaf(from[k], matrix[k * pair.stride + j], sum);
                else
                    sum = product::dot(sum, from, matrix + j * pair.stride, pre.neurons);
                to[j] = p + 1 == pair_count() ? sum : num::selu(sum);
            }
            __syncwarp();
            from = to;
        }
        return from;
    }

    // Slopes. From the cotangents of what the pair's layer behind adds up, which stand where its activities were, to
    // those of its matrix, of which dN and dG take the places of G and N, and of its biases.
    __device__ __forceinline__ void matrix_slopes(uint32_t p) const {
        const LearnerPair& pair = pairs[p];
        const LearnerLayer &narrow = layers[pair.narrow], &wide = layers[pair.wide], &post = layers[p + 1];
        const auto put = [&](uint32_t row, uint32_t column, float slope) {
            const uint32_t i = pair.matrix + row * pair.stride + column;
            at(plan.conductances)[i] = slope * at(plan.conductances)[i];
            at(plan.numbers)[i] = slope * at(plan.numbers)[i];
        };
        product::multiply<4>(narrow.neurons, wide.neurons, plan.batch, product::Across{at(narrow.activities), narrow.stride},
                             product::Across{at(wide.activities), wide.stride}, Zero(), put);
        // The last threads have no tile where the first have.
        for (uint32_t j = blockDim.x - 1 - threadIdx.x; j < post.neurons; j += blockDim.x) {
            const float* const slopes = at(post.activities) + j;
            float sum = 0.0f;
#pragma unroll 8
            for (uint32_t example = 0; example < plan.batch; ++example) sum = sum + slopes[example * post.stride];
            at(plan.bias_slopes)[post.takers + j] = sum;
        }
    }

    // On to the layer before, in the place of its activities; after `matrix_slopes`.
    __device__ __forceinline__ void activity_slopes(uint32_t p) const {
        const LearnerPair& pair = pairs[p];
        const LearnerLayer &pre = layers[p], &post = layers[p + 1];
        const float* const matrix = at(plan.weights) + pair.matrix;
        const auto put = [&](uint32_t example, uint32_t neuron, float slope) {
            float& h = at(pre.activities)[example * pre.stride + neuron];
            // The derivative of SELU, from its value.
            h = slope * (h > 0.0f ? 1.050701f : h + 1.7580993f);
        };
        const product::Along slopes = {at(post.activities), post.stride};
        if (pair.is_pre_narrow)
            product::multiply<8>(plan.batch, pre.neurons, post.neurons, slopes, product::Along{matrix, pair.stride}, Zero(), put);
        else
            product::multiply<8>(plan.batch, pre.neurons, post.neurons, slopes, product::Across{matrix, pair.stride}, Zero(), put);
    }

    // What the pairs add to a layer's slopes starts from nothing in the first of them.
    __device__ __forceinline__ static bool is_first(uint32_t p, uint32_t layer) { return p == 0 || layer == p + 1; }

    // dN times E of the wide layer; what dN brings to the wide layer, and dG to both. After all `matrix_slopes`, and
    // the other pairs.
    __device__ __forceinline__ void wide_slopes(uint32_t p) const {
        const LearnerPair& pair = pairs[p];
        const LearnerLayer &narrow = layers[pair.narrow], &wide = layers[pair.wide];
        const uint32_t stride = plan.gene_stride;
        const float* const of_numbers = at(plan.conductances) + pair.matrix;
        const float* const of_conductances = at(plan.numbers) + pair.matrix;
        float* const seen = at(plan.seen);
        product::multiply<2>(narrow.neurons, plan.genes, wide.neurons, product::Along{of_numbers, pair.stride},
                             product::Across{expression(wide), stride}, Zero(),
                             [&](uint32_t row, uint32_t gene, float sum) { seen[row * stride + gene] = sum; });
        float* const slopes = expression_slopes(wide);
        const bool is_new = is_first(p, pair.wide);
        product::multiply<8>(
            wide.neurons, plan.genes, narrow.neurons, product::Across{of_numbers, pair.stride},
            product::Across{reach(pair), stride},
            [&](uint32_t row, uint32_t gene) { return is_new ? 0.0f : slopes[row * stride + gene]; },
            [&](uint32_t row, uint32_t gene, float sum) { slopes[row * stride + gene] = sum; });

        float* const effects = at(plan.effect_slopes);
        float* const takes = at(plan.taker_slopes);
        for (uint32_t i = threadIdx.x; i < wide.neurons * takers(); i += blockDim.x) {
            const uint32_t k = i / wide.neurons, column = i % wide.neurons;
            float sum = 0.0f;
            for (uint32_t row = 0; row < narrow.neurons; ++row) {
                const float factor = pair.is_pre_narrow ? effect(narrow, row, k) : taken(narrow, row, k);
                sum = fmaf(factor, of_conductances[row * pair.stride + column], sum);
            }
            if (pair.is_pre_narrow)
                takes[(wide.takers + column) * takers() + k] = sum;
            else
                effects[(wide.givers + column) * takers() + k] = sum;
        }
        for (uint32_t i = blockDim.x - 1 - threadIdx.x; i < narrow.neurons * takers(); i += blockDim.x) {
            const uint32_t row = i / takers(), k = i % takers();
            const float* const slope = of_conductances + row * pair.stride;
            float sum = 0.0f;
#pragma unroll 4
            for (uint32_t column = 0; column < wide.neurons; ++column)
                sum = fmaf(slope[column], pair.is_pre_narrow ? taken(wide, column, k) : effect(wide, column, k), sum);
            if (pair.is_pre_narrow)
                effects[(narrow.givers + row) * takers() + k] = sum;
            else
                takes[(narrow.takers + row) * takers() + k] = sum;
        }
    }

    // What dN brings to the narrow layer and to the rules; after `wide_slopes`.
    __device__ __forceinline__ void narrow_slopes(uint32_t p) const {
        const LearnerPair& pair = pairs[p];
        const LearnerLayer& narrow = layers[pair.narrow];
        const uint32_t genes = plan.genes, stride = plan.gene_stride;
        float* const slopes = expression_slopes(narrow);
        const bool is_new = is_first(p, pair.narrow);
        const product::Along seen = {at(plan.seen), stride};
        const auto start = [&](uint32_t row, uint32_t gene) { return is_new ? 0.0f : slopes[row * stride + gene]; };
        const auto put = [&](uint32_t row, uint32_t gene, float sum) { slopes[row * stride + gene] = sum; };
        if (pair.is_pre_narrow)
            product::multiply<1>(narrow.neurons, genes, genes, seen, product::Along{at(plan.rules), stride}, start, put);
        else
            product::multiply<1>(narrow.neurons, genes, genes, seen, product::Across{at(plan.rules), stride}, start, put);
        float* const rules = at(plan.rule_slopes);
        const product::Across expressed = {expression(narrow), stride}, behind = {at(plan.seen), stride};
        product::multiply<8>(
            genes, genes, narrow.neurons, pair.is_pre_narrow ? expressed : behind, pair.is_pre_narrow ? behind : expressed,
            [&](uint32_t before, uint32_t gene) { return p == 0 ? 0.0f : rules[before * stride + gene]; },
            [&](uint32_t before, uint32_t gene, float sum) { rules[before * stride + gene] = sum; });
    }

    // The gradient of the raw parameters, in the place of the activities; after all slopes.
    __device__ __forceinline__ void finish() const {
        float* const gradient = at(plan.gradient);
        each(
            plan.raw_givers, [&](uint32_t i) { return plan.parameters[i]; },
            [&](uint32_t i, float x) {
                gradient[i] = fabsf(x) < 0x1p-100f ? 0.0f : 2.0f * x * at(plan.expression_slopes)[place_of(i)];
            });
        for (uint32_t i = threadIdx.x; i < plan.raw_strengths - plan.raw_rules; i += blockDim.x) {
            const uint32_t place = place_of(i);
            const float p = at(plan.rules)[place], slope = at(plan.rule_slopes)[place];
            if (!plan.coexpressed) {
                gradient[plan.raw_rules + i] = slope * (p * (1.0f - p) * 10.0f);
            } else {
                // The sigmoid within.
                const float s = 2.0f * p - (plan.coexpressed[i] ? 1.0f : 0.0f);
                gradient[plan.raw_rules + i] = slope * (s * (1.0f - s) * (0.5f * 10.0f));
            }
        }
        for (uint32_t i = threadIdx.x; i < plan.bias_count; i += blockDim.x)
            gradient[plan.raw_biases + i] = at(plan.bias_slopes)[i];
        finish_shares(gradient);
        finish_strengths(gradient);
    }

private:
    // Back through the softmax of T and R.
    __device__ __forceinline__ void finish_shares(float* gradient) const {
        const uint32_t kinds = plan.neurotransmitters, givers = (plan.raw_takers - plan.raw_givers) / kinds;
        for (uint32_t row = threadIdx.x; row < givers; row += blockDim.x) {
            const float* const effects = at(plan.effect_slopes) + row * takers();
            const auto slope_of = [&](uint32_t k) {
                const float *const of = effects + 2 * k, *const c = at(plan.strengths) + 2 * k;
                return fmaf(of[0], c[0], of[1] * c[1]);
            };
            through_softmax(at(plan.shares) + row * kinds, slope_of, kinds, gradient + plan.raw_givers + row * kinds);
        }
        for (uint32_t row = threadIdx.x; row < plan.bias_count; row += blockDim.x) {
            const float* const slopes = at(plan.taker_slopes) + row * takers();
            const float* const share = at(plan.shares) + (plan.raw_takers - plan.raw_givers) + row * takers();
            through_softmax(share, [&](uint32_t k) { return slopes[k]; }, takers(), gradient + plan.raw_takers + row * takers());
        }
    }

    template <class Slope>
    __device__ __forceinline__ static void through_softmax(const float* share, Slope slope_of, uint32_t kinds, float* out) {
        float mean = 0.0f;
        for (uint32_t k = 0; k < kinds; ++k) mean = fmaf(share[k], slope_of(k), mean);
        for (uint32_t k = 0; k < kinds; ++k) out[k] = share[k] * (slope_of(k) - mean);
    }

    // dK, a warp a receptor; nothing for those that do not take the neurotransmitter.
    __device__ __forceinline__ void finish_strengths(float* gradient) const {
        float* const out = gradient + plan.raw_strengths;
        for (uint32_t i = threadIdx.x; i < plan.neurotransmitters * takers(); i += blockDim.x)
            if (i % takers() / 2 != i / takers()) out[i] = 0.0f;
        // The last warps have least to do before.
        const uint32_t warps = blockDim.x / LANES, lane = threadIdx.x % LANES;
        for (uint32_t receptor = warps - 1 - threadIdx.x / LANES; receptor < takers(); receptor += warps) {
            float slope = 0.0f;
            for (uint32_t l = 0; l < pair_count(); ++l) {
                const LearnerLayer& layer = layers[l];
                float part = 0.0f;
                // In 16 parts, as `dot` on the CPU.
                if (lane < 16)
                    for (uint32_t neuron = lane; neuron < layer.neurons; neuron += 16) {
                        const uint32_t row = layer.givers + neuron;
                        const float share = at(plan.shares)[row * plan.neurotransmitters + receptor / 2];
                        part = fmaf(share, at(plan.effect_slopes)[row * takers() + receptor], part);
                    }
                slope = slope + sum_of_parts(part);
            }
            const float c = at(plan.strengths)[receptor];
            if (lane == 0) out[receptor / 2 * takers() + receptor] = slope * (c * (1.0f - fabsf(c)));
        }
    }

public:
    // The parts of the first 16 lanes, in their order.
    __device__ __forceinline__ static float sum_of_parts(float part) {
        float sum = 0.0f;
#pragma unroll
        for (int i = 0; i < 16; ++i) sum = sum + __shfl_sync(~0u, part, i);
        return sum;
    }
};

}  // namespace dqn
