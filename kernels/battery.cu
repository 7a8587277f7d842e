// Whole lives in the assays of the battery, a thread a life, all of it in one launch. Twins: src/battery/.
//
// lives_<unit>_<columns of a tile>: one unit of the house is the controller, in f32 and the CPU's order of every sum; what it costs
// is its products, as in rollout_exact.cu, whose shape this has: a block is a player in some windows of 32 lives, a warp a window
// (unit/exact.cuh). Lives of several assays may lie in one warp: the unit is the same for all of them, and the worlds, which are
// short beside it, are gone through one after the other. A warp ends with its longest life.
//
// lives_network_<unit>: the same with a network of units (battery/brains.cuh).
//
// lives_plain_<assay>: a plain network is the controller, which all threads of a block read from shared memory.
//
// A life keeps what its fitness needs: counts where the CPU has lists.
#include "battery/brains.cuh"
#include "battery/lives.cuh"
#include "policy.cuh"

namespace battery {

// A life in whichever assay, in registers. The compiler keeps it there as long as what lies at one place are numbers of one size, which
// is why the worlds' members are in the order they are; tests/resources.rs sees the stack where it does not.
struct Life {
    uint32_t assay, number;
    uint64_t seed;
    union {
#define MEMBER(name, World) World name;
        EACH_ASSAY(MEMBER)
#undef MEMBER
    };

    // f of what it is.
    template <class F>
    __device__ __forceinline__ void visit(F f) {
        switch (assay) {
#define CASE(name, World) \
    case World::NUMBER: f(name); break;
            EACH_ASSAY(CASE)
#undef CASE
        }
    }

    __device__ __forceinline__ Life(const Assays& assays, uint64_t seed, uint32_t assay, uint32_t number)
        : assay(assay), number(number), seed(seed) {
        visit([&](auto& world) { world = std::remove_reference_t<decltype(world)>(assays, life_row(seed, assay, number)); });
    }
};

// What a life is told where its world would tell it `own`, its n-th outcome: that, or what a neighbour was told.
__device__ __forceinline__ int32_t told(const LivesArgs& args, uint32_t environment, uint32_t n, int32_t own) {
    const LivesOutcomes& outcomes = args.outcomes;
    if (outcomes.own) outcomes.own[(size_t)n * args.lanes + environment] = own;
    if (!outcomes.given) return own;
    const uint32_t donor = environment ^ 1, count = donor < args.environments ? outcomes.given_counts[donor] : 0;
    // A donor that lived through fewer outcomes begins again.
    return count ? outcomes.given[(size_t)(n % count) * args.lanes + donor] : 0;
}

// Of the lives of a generation, or of those that are always the same.
__device__ __forceinline__ uint64_t seed_of_lives(const LivesArgs& args, uint32_t trial) {
    if (args.lives) return args.lives[trial];
    const uint32_t generation = args.of_generation ? args.step->generation : 0;
    const uint4 w = words({args.seeds[trial], args.stream, generation, 0}, 0);
    return (uint64_t)w.y << 32 | w.x;
}

template <class Brain>
__device__ __forceinline__ void play(const LivesArgs& args) {
    const uint32_t trial = blockIdx.y, players = args.players, player = blockIdx.x % players;
    if (*args.halted) return;
    SHARED(shared);
    Brain brain(args, (float*)shared);
    brain.inherit(args, player, trial);

    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const uint32_t group = blockIdx.x / players, environment = (group * (blockDim.x / 32) + warp) * LANES + lane;
    // Whole warps only: E is a multiple of 32.
    if (environment >= args.lanes) return;
    bool live = environment < args.environments;
    // Who only pads the window is a life that is over.
    const uint32_t* const adapter = args.adapters + (live ? environment / args.each : 0) * ADAPTED;
    Life life(args.assays, seed_of_lives(args, trial), adapter[0], args.first_life + environment % args.each);
    brain.begin(args, life_row(life.seed, life.assay, life.number));
    if (args.one != NO_ONE) brain.shown(args.one) = 1.0f;
    const auto shown = [&](uint32_t i) -> float& { return brain.shown(adapter[1 + i]); };
    uint32_t steps = 0, outcomes = 0;
    const auto tell = [&](int32_t own) { return told(args, environment, outcomes++, own); };
    while (__any_sync(~0u, live)) {
        if (live)
            life.visit([&](auto& world) { show(world, args.assays, life.seed, life.number, steps, shown); });
        __syncwarp();
        float answers[MOST_MOTORS] = {};
        for (uint32_t tick = 0; tick < args.ticks; ++tick) {
            brain.step(args);
#pragma unroll
            for (uint32_t i = 0; i < MOST_MOTORS; ++i)
                answers[i] = answers[i] + args.share * brain.motor(adapter[ADAPTED_MOTORS + i]);
        }
        if (args.noise > 0.0f && life.number < args.noisy) {
            const uint4 w = words({life.seed, STREAM_MOTOR_NOISE, life.assay, life.number}, steps);
            const float2 first = normal_pair(w.x, w.y), second = normal_pair(w.z, w.w);
            answers[0] = answers[0] + args.noise * first.x;
            answers[1] = answers[1] + args.noise * first.y;
            answers[2] = answers[2] + args.noise * second.x;
        }
        if (live) {
            life.visit([&](auto& world) {
                float outputs[world.OUTPUTS];
#pragma unroll
                for (uint32_t i = 0; i < world.OUTPUTS; ++i) outputs[i] = answers[i];
                keep<std::remove_reference_t<decltype(world)>>(args.trace, steps, environment, shown, outputs);
                const After after = world.act(args.assays, outputs, tell);
                live = after != After::OVER;
                if (after == After::FORGET && args.amnesia) brain.forget(args);
            });
            ++steps;
        }
    }
    if (args.outcomes.own) args.outcomes.own_counts[environment] = outcomes;
    const size_t at = ((size_t)trial * players + player) * args.lanes + environment;
    args.lived[at] = steps * args.ticks;
    if (environment < args.environments) life.visit([&](auto& world) { args.fitness[at] = world.fitness(args.assays); });
}

template <class World>
__device__ __forceinline__ void play_plain(const PlainLivesArgs& args, float* shared) {
    for (uint32_t i = threadIdx.x; i < args.parameters; i += blockDim.x) shared[i] = args.policy[i];
    __syncthreads();
    const uint32_t number = blockIdx.x * blockDim.x + threadIdx.x;
    if (number >= args.count) return;
    constexpr uint32_t CHANNELS = World::SENSES + 2;
    const Perceptron<CHANNELS, World::OUTPUTS> policy = {shared, shared + args.parameters + threadIdx.x};
    World world(args.assays, life_row(args.seed, World::NUMBER, number));
    float channels[CHANNELS], answers[World::OUTPUTS];
    const auto shown = [&](uint32_t i) -> float& { return channels[i]; };
    uint32_t steps = 0;
    for (bool live = true; live; ++steps) {
        show(world, args.assays, args.seed, number, steps, shown);
        policy.outputs(args, channels, answers);
        keep<World>(args.trace, steps, number, shown, answers);
        live = world.act(args.assays, answers, [](int32_t own) { return own; }) != After::OVER;
    }
    args.fitness[number] = world.fitness(args.assays);
    args.lived[number] = steps;
}

}  // namespace battery

// With so many blocks side by side on a multiprocessor, which a few registers more would not let be.
#define LIVES(unit, Unit, tile, blocks) \
    KERNEL(lives_##unit##_##tile, LivesArgs, 128, blocks) { battery::play<battery::OneUnit<Unit, tile / exact::GROUPS>>(args); }
#define TILES(unit, Unit, widest) \
    LIVES(unit, Unit, 8, 4) \
    LIVES(unit, Unit, 16, 3) \
    LIVES(unit, Unit, 32, widest) \
    KERNEL(lives_network_##unit, LivesArgs, 128, 1) { battery::play<battery::Units<Unit, 8 / exact::GROUPS>>(args); }
TILES(enu, Enu, 3)
TILES(nfenu, Nfenu, 3)
TILES(gru, Gru, 3)
TILES(lstm, Lstm, 2)
#undef TILES
#undef LIVES

#define PLAIN(name, World)                                            \
    KERNEL(lives_plain_##name, PlainLivesArgs, THREADS, 1) {          \
        SHARED(shared);                                               \
        battery::play_plain<World>(args, reinterpret_cast<float*>(shared)); \
    }
EACH_ASSAY(PLAIN)
#undef PLAIN

// Plates and arenas with given actions and draws, a thread a life; for tests.
KERNEL(plate_moves, PlateMovesArgs, THREADS, 1) {
    const uint32_t life = blockIdx.x * THREADS + threadIdx.x;
    if (life >= args.lives) return;
    const float* const start = args.starts + 3 * life;
    battery::Worm worm((double)start[0], (double)start[1], (double)start[2]);
    const battery::Source source = {args.source_x, args.source_y, 1.0};
    for (uint32_t step = 0; step < args.steps; ++step) {
        const size_t at = (size_t)step * args.lives + life;
        const float* const given = args.given + 6 * at;
        float senses[5];
        battery::plate::observe(args.plate, worm, source, given[2], senses);
        const double adapted = worm.adapted;
        const battery::Motion motion =
            battery::plate::step(args.plate, worm, given[0], given[1], {given[3], given[4], given[5]});
        double* to = args.out + 11 * at;
        for (uint32_t i = 0; i < 5; ++i) *to++ = (double)senses[i];
        *to++ = adapted;
        *to++ = worm.x;
        *to++ = worm.y;
        *to++ = worm.heading;
        *to++ = (double)worm.pause;
        *to = (double)motion;
    }
}

KERNEL(arena_moves, ArenaMovesArgs, THREADS, 1) {
    const uint32_t life = blockIdx.x * THREADS + threadIdx.x;
    if (life >= args.lives) return;
    const float* const start = args.starts + 3 * life;
    battery::Forager forager(args.arena, (int32_t)start[0], (double)start[1], (double)start[2]);
    for (uint32_t step = 0; step < args.steps; ++step) {
        const size_t at = (size_t)step * args.lives + life;
        const float* const given = args.given + 6 * at;
        float senses[9];
        forager.observe(args.arena, given[2], senses);
        forager.step(args.arena, given[0], given[1], {given[3], given[4], given[5]});
        double* to = args.out + 15 * at;
        for (uint32_t i = 0; i < 9; ++i) *to++ = (double)senses[i];
        *to++ = forager.worm.x;
        *to++ = forager.worm.y;
        *to++ = forager.worm.heading;
        *to++ = (double)forager.phase;
        *to++ = (double)forager.reached;
        *to = forager.exit;
    }
}
