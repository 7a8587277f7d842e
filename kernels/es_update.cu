// From the fitness of a generation to the next centre: mean over environments, ranks, the noise summed over the
// offspring, and the optimiser's step. Twins: src/search/.
//
// Every sum has the CPU's order: environments one after the other, offspring in 32 fixed chunks that are then added in
// order, so the bits do not depend on the launch's shape.
#include "rng.cuh"

// A thread a player. E loads of one row each, P x E x 4 bytes in all. Steps are integers, so their sum has no order.
KERNEL(mean_fitness, MeanArgs, THREADS, 1) {
    const uint32_t player = blockIdx.x * THREADS + threadIdx.x, trial = blockIdx.y;
    if (player >= args.players || *args.halted) return;
    const size_t index = (size_t)trial * args.players + player;
    const float* const fitness = args.environments_fitness + index * args.lanes;
    float sum = fitness[0];
#pragma unroll 8
    for (uint32_t e = 1; e < args.environments; ++e) sum = sum + fitness[e];
    args.fitness[index] = sum / (float)args.environments;
    if (!args.env_steps) return;
    unsigned long long steps = 0;
    for (uint32_t e = 0; e < args.environments; ++e) steps += args.lived[index * args.lanes + e];
    atomicAdd((unsigned long long*)args.env_steps + trial, steps);
}

// A warp counts, for RANKED offspring at once, who is better, 32 at a time: P^2 comparisons over the grid, no order of arrival.
KERNEL(rank, RankArgs, THREADS, 1) {
    const uint32_t lane = threadIdx.x % 32, warp = blockIdx.x * (THREADS / 32) + threadIdx.x / 32, trial = blockIdx.y;
    const uint32_t first = RANKED * warp;
    if (first >= args.population) return;
    const float* const fitness = args.fitness + (size_t)trial * (args.population + 1);
    const auto key = [&](uint32_t i) { return is_finite(fitness[i]) ? fitness[i] : -INFINITY; };
    float mine[RANKED];
    uint32_t better[RANKED] = {}, finite = 0;
#pragma unroll
    for (uint32_t k = 0; k < RANKED; ++k) mine[k] = key(min(first + k, args.population - 1));
#pragma unroll 4
    for (uint32_t base = 0; base < args.population; base += 32) {
        const uint32_t other = base + lane;
        // Who is not there is worse than anyone, also than those without a finite fitness.
        const float theirs = other < args.population ? key(other) : NaN;
        finite |= __ballot_sync(~0u, theirs > -INFINITY);
#pragma unroll
        for (uint32_t k = 0; k < RANKED; ++k) {
            const bool first_of_equals = args.later_first ? other > first + k : other < first + k;
            better[k] += __popc(__ballot_sync(~0u, theirs > mine[k] || (theirs == mine[k] && first_of_equals)));
        }
    }
#pragma unroll
    for (uint32_t k = 0; k < RANKED; ++k)
        if (lane == k && first + k < args.population)
            args.utilities[(size_t)trial * args.population + first + k] = args.weights[better[k]];
    // Nobody returns early for the flag here, where it may be raised at any moment. All who raise it write the same.
    if (warp == 0 && lane == 0 && finite == 0 && *args.halted == 0) *args.halted = args.step->generation + 1;
}

namespace {

__device__ __forceinline__ void apply(const UpdateArgs& args, size_t at, float first, float second) {
    const float sigma = args.step->sigma;
    float x = args.centre[at];
    if (args.optimiser == OPTIMISER_MOMENTUM) {
        const float v = args.first_rate * args.first[at] + sigma * first;
        args.first[at] = v;
        x = args.keep * x + args.learning_rate * v;
    } else if (args.optimiser == OPTIMISER_ADAM) {
        const float g = sigma * first;
        const float m = args.first_rate * args.first[at] + (1.0f - args.first_rate) * g;
        const float s = args.second_rate * args.second[at] + (1.0f - args.second_rate) * g * g;
        args.first[at] = m;
        args.second[at] = s;
        const float scaled = sqrtf(s * args.step->square_scale) + args.epsilon;
        x = args.keep * x + args.learning_rate * (m * args.step->mean_scale) / scaled;
    } else {
        const float spread = args.first[at];
        x = x + args.learning_rate * spread * first;
        args.first[at] = spread * num::exp(0.5f * args.first_rate * second);
    }
    args.centre[at] = x;
}

}  // namespace

// A thread sums four consecutive parameters, one Philox block, over one chunk of offspring; a block owns all chunks of
// QUADS such quads, so the chunks meet in shared memory. Limited by the integer and special-function work of P x D
// normals: 13 us on the paper's 1,024 x 6,656 at the ceiling.
KERNEL(update, UpdateArgs, QUADS* CHUNKS, 1) {
    const uint32_t quad = threadIdx.x % QUADS, chunk = threadIdx.x / QUADS, trial = blockIdx.y;
    if (*args.halted) return;
    const uint32_t block = blockIdx.x * QUADS + quad;
    const float* const utilities = args.utilities + (size_t)trial * args.population;
    const uint32_t length = (args.population + CHUNKS - 1) / CHUNKS;
    const uint32_t begin = min(chunk * length, args.population), end = min(begin + length, args.population);
    const bool spreads = args.optimiser == OPTIMISER_SNES;

    float first[4] = {}, second[4] = {};
    float4 noise = {};
    for (uint32_t offspring = begin; offspring < end; ++offspring) {
        const Mutation m = mutation(args.seeds[trial], args.step->generation, args.antithetic, offspring);
        // The second of an antithetic pair has the noise of the first.
        if (!args.antithetic || offspring % 2 == 0 || offspring == begin) noise = normals(m.row, block);
        const float eps[4] = {m.sign * noise.x, m.sign * noise.y, m.sign * noise.z, m.sign * noise.w};
        const float u = utilities[offspring];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            first[i] = fmaf(eps[i], u, first[i]);
            if (spreads) second[i] = fmaf(fmaf(eps[i], eps[i], -1.0f), u, second[i]);
        }
    }

    SHARED(shared);
    float* const sums = (float*)shared;  // [2][CHUNKS][QUADS * 4]
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        sums[chunk * QUADS * 4 + quad * 4 + i] = first[i];
        sums[(CHUNKS + chunk) * QUADS * 4 + quad * 4 + i] = second[i];
    }
    __syncthreads();
    const uint32_t parameter = blockIdx.x * QUADS * 4 + threadIdx.x;
    if (threadIdx.x >= QUADS * 4 || parameter >= args.parameters) return;
    float first_sum = 0.0f, second_sum = 0.0f;
    for (uint32_t c = 0; c * length < args.population; ++c) {
        first_sum = first_sum + sums[c * QUADS * 4 + threadIdx.x];
        second_sum = second_sum + sums[(CHUNKS + c) * QUADS * 4 + threadIdx.x];
    }
    const size_t stride = (args.parameters + 3) / 4 * 4;
    apply(args, trial * stride + parameter, first_sum, second_sum);
}

// A block a trial: the centre is kept if it did better on the validation episodes than any before.
KERNEL(keep_best, KeepBestArgs, THREADS, 1) {
    const uint32_t trial = blockIdx.x;
    const float fitness = args.fitness[trial];
    const BestSoFar best = args.best[trial];
    if (*args.halted || !is_finite(fitness) || (best.present && fitness <= best.fitness)) return;
    const size_t stride = (args.length + 3) / 4 * 4;
    for (uint32_t i = threadIdx.x; i < args.length; i += THREADS)
        args.parameters[trial * stride + i] = args.centre[trial * stride + i];
    __syncthreads();
    if (threadIdx.x == 0) args.best[trial] = {fitness, args.step->generation + 1, 1};
}

KERNEL(noise, NoiseArgs, THREADS, 1) {
    const uint32_t block = blockIdx.x * THREADS + threadIdx.x;
    if (4 * block >= args.length) return;
    const float4 n = normals({args.seed, args.stream, args.generation, args.index}, block);
    const float four[4] = {n.x, n.y, n.z, n.w};
    for (uint32_t i = 0; i < 4 && 4 * block + i < args.length; ++i) args.out[4 * block + i] = four[i];
}

KERNEL(functions, FunctionsArgs, THREADS, 1) {
    const uint32_t i = blockIdx.x * THREADS + threadIdx.x, n = args.length;
    if (i >= n) return;
    const float x = args.x[i];
    args.out[i] = num::tanh(x);
    args.out[n + i] = num::sigmoid(x);
    args.out[2 * n + i] = num::exp(x);
    args.out[3 * n + i] = num::ln(fabsf(x));
    num::sin_cos_pi(x, args.out[4 * n + i], args.out[5 * n + i]);
    args.out[6 * n + i] = num::cos(x);
}
