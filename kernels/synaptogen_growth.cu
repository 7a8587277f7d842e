// Agents grown from profiles: numbers of synapses of every neuron pair, and the weights that follow, where a rollout reads
// them. Twins of `Law::synapses` and `direct::synapses` in src/synaptogen/growth/; tables and laws are made there, once a
// profile.
//
// A warp draws one neuron pair for 128 agents at a time, four a lane, as four agents share a block of random numbers. So what
// decides how a number is drawn, its row of thresholds or its trials, is the same for a warp. A block is eight neighbouring
// columns of the agents' rows; its numbers meet in shared memory and are stored in whole sectors of 32 bytes.
//
// Bounds: kernels/README.md.
#include "synaptogen_binomial.cuh"
#include "synaptogen_trials.cuh"

namespace growth {

constexpr uint32_t COLUMNS = GROWN_COLUMNS, AGENTS = GROWN_AGENTS, OF_LANE = AGENTS / LANES;
static_assert(OF_LANE == 4, "a Philox block has four words");
constexpr uint32_t BLOCK = COLUMNS * LANES;
// From one column to the next, so that neither stores nor loads meet in a bank.
constexpr uint32_t PITCH = AGENTS + 4;

// `values` in src/synaptogen/growth/thresholds.rs, for four words, in two parts. First the search by upper halves in a row of
// 2^levels thresholds, of which `at(i)` is the i-th; values begin at 0.
template <class At>
__device__ __forceinline__ void descend(uint32_t levels, const uint32_t (&words)[OF_LANE], At at, uint32_t (&values)[OF_LANE]) {
    for (uint32_t step = 1u << levels >> 1; step; step >>= 1)
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) values[i] += words[i] > at(values[i] + step - 1) ? step : 0;
}

// Then what lower halves decide: `tie` gives those of the words.
template <class At, class Tie>
__device__ __forceinline__ void settle(const uint32_t* high, const uint32_t* low, uint32_t levels,
                                       const uint32_t (&words)[OF_LANE], At at, Tie tie, uint32_t (&values)[OF_LANE]) {
    bool ties = false;
#pragma unroll
    for (uint32_t i = 0; i < OF_LANE; ++i) ties |= at(values[i]) == words[i];
    if (!ties) return;
    const uint4 lower = tie();
    const uint32_t lowers[OF_LANE] = {lower.x, lower.y, lower.z, lower.w};
#pragma unroll
    for (uint32_t i = 0; i < OF_LANE; ++i) {
        if (high[values[i]] != words[i]) continue;
        const uint64_t word = (uint64_t)words[i] << 32 | lowers[i];
        // Nothing exceeds the end of a row.
        const uint64_t bounded = word == ~0ull ? word - 1 : word;
        while (values[i] < (1u << levels) - 1 && bounded >= ((uint64_t)high[values[i]] << 32 | low[values[i]])) ++values[i];
    }
}

// Where the words of a row lie in shared memory. The first steps of a search are powers of two apart: without gaps they would all
// meet in one bank.
__device__ __forceinline__ uint32_t spread(uint32_t i) { return i + i / 32; }

__device__ __forceinline__ void split(const uint4& block, uint32_t (&words)[OF_LANE]) {
    words[0] = block.x, words[1] = block.y, words[2] = block.z, words[3] = block.w;
}

// Draws of one neuron pair from its law. Of the upper halves every 2^fine-th, the last of so many, is also in `coarse`.
struct OfLaw {
    const uint32_t *coarse, *high, *low;
    uint32_t first, levels, fine, pair;
    uint2 key;

    __device__ __forceinline__ void draw(uint32_t group, uint32_t (&counts)[OF_LANE]) const {
        const auto block = [&](uint32_t half) { return philox(make_uint4(pair, group, half, STREAM_SYNAPSE_LAW), key); };
        uint32_t words[OF_LANE];
        split(block(0), words);
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] = 0;
        descend(levels - fine, words, [&](uint32_t i) { return coarse[spread(i)]; }, counts);
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] <<= fine;
        descend(fine, words, [&](uint32_t i) { return high[i]; }, counts);
        const auto at = [&](uint32_t i) { return fine ? high[i] : coarse[spread(i)]; };
        settle(high, low, levels, words, at, [&] { return block(1); }, counts);
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] += first;
    }
};

// Draws of one neuron pair, a binomial number for each gene pair; BEYOND: some have more trials than there are tables for.
template <bool BEYOND>
struct Directly {
    const GrowDirectArgs& args;
    const GeneTable* tables;
    const float *pre, *post;
    float alpha;
    uint32_t pair;
    uint2 key;

    __device__ __forceinline__ void draw(uint32_t group, uint32_t (&counts)[OF_LANE]) const {
        const uint32_t genes = args.genes;
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] = 0;
        for (uint32_t u = 0; u < genes; ++u) {
            const float expressed = pre[u];
            for (uint32_t w = 0; w < genes; ++w) {
                const uint32_t n = trials(alpha, expressed, post[w]);
                if (n) of_gene_pair(u * genes + w, n, group, counts);
            }
        }
    }

    __device__ __forceinline__ void of_gene_pair(uint32_t gene_pair, uint32_t n, uint32_t group,
                                                 uint32_t (&counts)[OF_LANE]) const {
        constexpr uint32_t SMALL_BITS = 6, SMALL = 1u << SMALL_BITS, BINOMIAL_BITS = SMALL_BITS + GROWN_POWERS;
        const GeneTable& table = tables[gene_pair];
        if (table.kind == GENES_NEVER) return;
        if (table.kind == GENES_ALWAYS) {
#pragma unroll
            for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] += n;
            return;
        }
        if (n % SMALL) part(0, gene_pair, table.small + (n % SMALL << table.levels), table.levels, 0, group, counts);
        for (uint32_t bits = n % (1u << BINOMIAL_BITS) >> SMALL_BITS; bits; bits &= bits - 1) {
            const uint32_t power = __ffs((int)bits) - 1;
            const PowerTable& of_power = args.powers[table.powers + power];
            part(power + 1, gene_pair, of_power.start, of_power.levels, of_power.least, group, counts);
        }
        const uint32_t rest = n >> BINOMIAL_BITS << BINOMIAL_BITS;
        if (BEYOND && rest)
#pragma unroll
            for (uint32_t i = 0; i < OF_LANE; ++i) {
                const uint32_t agent = group * OF_LANE + i, stream = STREAM_SYNAPSES + (GROWN_REJECTION << 8);
                const binomial::Words words = {make_uint4(pair, agent, gene_pair, stream), key};
                counts[i] += binomial::draw(rest, table.probability, words);
            }
    }

    __device__ __forceinline__ void part(uint32_t number, uint32_t gene_pair, uint32_t start, uint32_t levels, uint32_t least,
                                         uint32_t group, uint32_t (&counts)[OF_LANE]) const {
        const auto block = [&](uint32_t block) {
            return philox(make_uint4(pair, group, gene_pair, STREAM_SYNAPSES + (block << 8)), key);
        };
        uint32_t words[OF_LANE], values[OF_LANE] = {};
        split(block(number), words);
        const uint32_t* const high = args.grow.high + start;
        const auto at = [&](uint32_t i) { return high[i]; };
        descend(levels, words, at, values);
        settle(high, args.grow.low + start, levels, words, at, [&] { return block(GROWN_LOWER_HALVES + number); }, values);
#pragma unroll
        for (uint32_t i = 0; i < OF_LANE; ++i) counts[i] += least + values[i];
    }
};

// The block's columns of a profile's agents; `draw(group, counts)` gives the numbers of the warp's neuron pair.
template <class Draw>
__device__ __forceinline__ void store_all(const GrowArgs& args, uint32_t (&tile)[COLUMNS][PITCH], Draw draw) {
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, profile = blockIdx.z;
    const uint32_t end = args.first + args.agents, first_group = args.first / OF_LANE;
    const uint32_t my_pair = args.columns[blockIdx.x * COLUMNS + warp];
    // To store: a column, and some agents.
    const uint32_t at = threadIdx.x % COLUMNS, column = blockIdx.x * COLUMNS + at, source = args.columns[column];
    const bool is_pair = source < args.pairs;
    const float alpha = args.alphas[profile];
    const float conductance = is_pair ? args.conductances[(size_t)profile * args.pairs + source] : 0.0f;
    const bool is_bias = source >= COLUMN_BIAS && source != COLUMN_EMPTY;
    const float bias = is_bias ? args.biases[(size_t)profile * args.bias_count + (source - COLUMN_BIAS)] : 0.0f;
    for (uint32_t round = 0; round < args.rounds; ++round) {
        const uint32_t groups = (blockIdx.y * args.rounds + round) * LANES, base = (first_group + groups) * OF_LANE;
        if (base >= end) return;
        uint32_t counts[OF_LANE] = {};
        if (my_pair < args.pairs) draw(first_group + groups + lane, counts);
        *reinterpret_cast<uint4*>(&tile[warp][lane * OF_LANE]) = make_uint4(counts[0], counts[1], counts[2], counts[3]);
        __syncthreads();
        for (uint32_t row = threadIdx.x / COLUMNS; row < AGENTS; row += BLOCK / COLUMNS) {
            const uint32_t agent = base + row;
            const bool is_wanted = agent >= args.first && agent < end;
            const uint32_t count = is_wanted ? tile[at][row] : 0;
            const size_t place = (size_t)profile * args.agents + (agent - args.first);
            if (is_wanted && args.weights)
                args.weights[place * args.stride + column] = is_pair ? conductance * (float)count / alpha : bias;
            if (is_wanted && args.synapses && is_pair) args.synapses[place * args.pairs + source] = count;
            if (args.totals) {
                unsigned long long sum = count;
#pragma unroll
                for (int by = 1; by < (int)COLUMNS; by *= 2) sum += __shfl_xor_sync(~0u, sum, by);
                if (is_wanted && at == 0) atomicAdd((unsigned long long*)args.totals + place, sum);
            }
        }
        __syncthreads();
    }
}

__device__ __forceinline__ uint2 key_of(const GrowArgs& args) {
    const uint64_t seed = args.seeds[blockIdx.z];
    return make_uint2((uint32_t)seed, (uint32_t)(seed >> 32));
}

}  // namespace growth

// The first steps of a search go through shared memory, the others through a sector of 32 bytes or a few.
KERNEL(grow_law, GrowLawArgs, GROWN_COLUMNS * LANES, 4) {
    using namespace growth;
    SHARED(shared);
    __shared__ __align__(16) uint32_t tile[COLUMNS][PITCH];
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES;
    const uint32_t pair = args.grow.columns[blockIdx.x * COLUMNS + warp];
    PairLaw law = {};
    if (pair < args.grow.pairs) law = args.laws[(size_t)blockIdx.z * args.grow.pairs + pair];
    const uint32_t* const high = args.grow.high + law.start;
    const uint32_t fine = law.levels > args.room ? law.levels - args.room : 0;
    uint32_t* const coarse = reinterpret_cast<uint32_t*>(shared) + warp * spread(1u << args.room);
    if (pair < args.grow.pairs)
        for (uint32_t i = lane; i < 1u << (law.levels - fine); i += LANES) coarse[spread(i)] = high[((i + 1) << fine) - 1];
    __syncwarp();
    const OfLaw of_law = {coarse, high, args.grow.low + law.start, law.first, law.levels, fine, pair, key_of(args.grow)};
    store_all(args.grow, tile, [&](uint32_t group, uint32_t(&counts)[OF_LANE]) { of_law.draw(group, counts); });
}

namespace growth {

template <bool BEYOND>
__device__ __forceinline__ void grow_directly(const GrowDirectArgs& args, uint32_t (&tile)[COLUMNS][PITCH]) {
    const uint32_t pair = args.grow.columns[blockIdx.x * COLUMNS + threadIdx.x / LANES], profile = blockIdx.z;
    PairEnds ends = {};
    if (pair < args.grow.pairs) ends = args.ends[pair];
    const float* const expression = args.expression + (size_t)profile * args.expressed * args.genes;
    const Directly<BEYOND> directly = {args,
                                       args.tables + (size_t)profile * args.genes * args.genes,
                                       expression + (size_t)ends.pre * args.genes,
                                       expression + (size_t)ends.post * args.genes,
                                       args.grow.alphas[profile],
                                       pair,
                                       key_of(args.grow)};
    store_all(args.grow, tile, [&](uint32_t group, uint32_t(&counts)[OF_LANE]) { directly.draw(group, counts); });
}

}  // namespace growth

KERNEL(grow_direct, GrowDirectArgs, GROWN_COLUMNS * LANES, 4) {
    __shared__ __align__(16) uint32_t tile[growth::COLUMNS][growth::PITCH];
    growth::grow_directly<false>(args, tile);
}

// With numbers of trials of 2^16 and more, whose draws take many registers.
KERNEL(grow_direct_beyond, GrowDirectArgs, GROWN_COLUMNS * LANES, 1) {
    __shared__ __align__(16) uint32_t tile[growth::COLUMNS][growth::PITCH];
    growth::grow_directly<true>(args, tile);
}
