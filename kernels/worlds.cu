// Whole episodes of Gymnasium's worlds, a thread an environment, as in src/rollout/: a thread whose episode has come to its
// end or its limit stores what came of it under the episode's own number and takes the next one of the queue, so nothing
// depends on which thread that was. Limited by issue: the step of the world (kernels/README.md has them counted) and the
// policy's multiply-adds, whose weights every thread of a warp reads at once from shared memory.
#include "playing.cuh"

namespace {

// The next episode of the queue; false if there is none.
template <class World>
__device__ __forceinline__ bool take_next(const WorldArgs& args, Playing<World>& now) {
    const uint32_t number = atomicAdd(args.queue, 1u);
    now.playing = number < args.count;
    if (!now.playing) return false;
    begin(now, number, Draws(args, number));
    return true;
}

template <class World>
__device__ __forceinline__ void advance(const WorldArgs& args, float* shared, Playing<World>& now) {
    advance(args, now, [&](typename World::Action& action) {
        if (args.parameters) {
            ask(args, shared, shared + args.parameters + threadIdx.x, now.world, action);
        } else {
            const Row row = {args.action_seed, STREAM_ACTION, 0, now.number};
            choose<World::OUTPUTS>(row, now.step, action);
        }
    });
}

// Where a new episode costs more than a step: so many threads of a warp wait for each other before they take new ones.
template <class World>
__device__ __forceinline__ void play_light(const WorldArgs& args, float* shared) {
    constexpr int TOGETHER = 8;
    Playing<World> now = {};
    bool more = true;
    for (;;) {
        const bool is_time = __popc(__ballot_sync(~0u, !now.playing)) >= TOGETHER;
        if (is_time && !now.playing && more) more = take_next(args, now);
        if (!__any_sync(~0u, now.playing)) return;
        if (now.playing) advance(args, shared, now);
    }
}

enum Pace : uint32_t { OVER, FAST, SLOW };

template <class World>
__device__ __forceinline__ Pace pace_of(const Playing<World>& episode) {
    return !episode.playing ? OVER : episode.world.is_slow() ? SLOW : FAST;
}

template <class World>
__device__ __noinline__ void exchange(Playing<World>& a, Playing<World>& b) {
    static_assert(sizeof a % sizeof(uint32_t) == 0);
    char *const x = reinterpret_cast<char*>(&a), *const y = reinterpret_cast<char*>(&b);
    for (uint32_t at = 0; at < sizeof a; at += sizeof(uint32_t)) {
        uint32_t of_a, of_b;
        memcpy(&of_a, x + at, sizeof of_a);
        memcpy(&of_b, y + at, sizeof of_b);
        memcpy(x + at, &of_b, sizeof of_b);
        memcpy(y + at, &of_a, sizeof of_a);
    }
}

// Where some steps are far slower than others: a warp takes as long as its slowest thread. An episode that comes to slow steps
// waits, and its thread plays others, until most threads of the warp have one that waits. These are then played together, and
// others beside them where a thread has none, until few are slow.
template <class World>
__device__ __forceinline__ void play_heavy(const WorldArgs& args, float* shared) {
    constexpr uint32_t SEATS = 2;
    constexpr int MANY = 24, FEW = 8;
    Playing<World> now = {}, waiting[SEATS] = {};
    Pace pace = OVER, paces[SEATS] = {OVER, OVER};
    bool more = true;
    const auto any = [&](Pace wanted) { return pace == wanted || paces[0] == wanted || paces[1] == wanted; };
    const auto threads = [](bool which) { return __popc(__ballot_sync(~0u, which)); };
    // With a waiting episode of that pace; where there is none, all stays as it is.
    const auto change_with = [&](Pace wanted) {
        if (paces[0] != wanted && paces[1] != wanted) return;
        const uint32_t seat = paces[0] == wanted ? 0 : 1;
        exchange(now, waiting[seat]);
        const Pace other = seat == 0 ? paces[0] : paces[1];
        (seat == 0 ? paces[0] : paces[1]) = pace;
        pace = other;
    };
    bool slow_ones = false;  // are played; the same in all threads of the warp
    for (;;) {
        if (!slow_ones) {
            if (pace != FAST) change_with(FAST);
            if (pace == SLOW) change_with(OVER);
            if (pace == OVER && more) {
                more = take_next(args, now);
                pace = pace_of(now);
            }
            const bool any_fast = __any_sync(~0u, pace == FAST);
            const int with_slow = threads(any(SLOW));
            if (!any_fast && with_slow == 0) return;
            slow_ones = !any_fast || with_slow >= MANY || threads(pace == SLOW) >= FEW;
        }
        if (slow_ones) {
            if (pace != SLOW) change_with(SLOW);
            const bool others = __any_sync(~0u, any(FAST) || (more && any(OVER)));
            slow_ones = threads(pace == SLOW) >= (others ? FEW : 1);
        }
        if (pace == FAST || (slow_ones && pace == SLOW)) {
            advance(args, shared, now);
            pace = pace_of(now);
        }
    }
}

template <class World>
__device__ __forceinline__ void play(const WorldArgs& args, float* shared) {
    for (uint32_t i = threadIdx.x; i < args.parameters; i += blockDim.x) shared[i] = args.policy[i];
    __syncthreads();
    if constexpr (HEAVY<World>)
        play_heavy<World>(args, shared);
    else
        play_light<World>(args, shared);
}

}  // namespace

#define ROLLOUT(name, World)                                 \
    KERNEL(rollout_world_##name, WorldArgs, THREADS, 4) {    \
        SHARED(shared);                                      \
        play<World>(args, reinterpret_cast<float*>(shared)); \
    }
EACH_WORLD(ROLLOUT)
