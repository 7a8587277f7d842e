// Whole episodes of Gymnasium's worlds, a thread an environment, as in src/rollout/: a thread whose episode has come to its
// end or its limit stores what came of it under the episode's own number and takes the next one of the queue, so nothing
// depends on which thread that was. Limited by issue: the step of the world (kernels/README.md has them counted) and the
// policy's multiply-adds, whose weights every thread of a warp reads at once from shared memory.
#include "policy.cuh"
#include "worlds.cuh"

namespace {

// So many threads of a warp wait for each other before they take new episodes where the first state costs more than a step.
constexpr int TOGETHER = 8;
// So many steps of a heavy world lie between changes of places.
constexpr uint32_t STEPS_IN_PLACE = 16;

// An episode and how far it has come.
template <class World>
struct Playing {
    World world;
    Draws draws;
    double sum;
    uint32_t number, step;
    bool playing, more;  // it is not over; there may be another one
    bool first;          // its next step is the one that nobody sees
};

// The environments of a block change places: first those whose steps are short, then the others, then what is over, each in
// the order in which they were. Passed on through shared memory, some words at a time. False if all are over.
template <class World>
__device__ __noinline__ bool change_places(Playing<World>& mine) {
    constexpr uint32_t KINDS = 3, PART = 8, WORDS = sizeof mine / sizeof(uint32_t);
    __shared__ uint32_t counts[KINDS][THREADS / 32], origins[THREADS], words[PART][THREADS];
    const uint32_t thread = threadIdx.x, warp = thread / 32, lane = thread % 32;
    const uint32_t kind = !mine.playing ? 2 : mine.world.is_slow();
    uint32_t place = 0, over = 0;
    for (uint32_t k = 0; k < KINDS; ++k) {
        const uint32_t alike = __ballot_sync(~0u, kind == k);
        if (lane == 0) counts[k][warp] = __popc(alike);
        if (kind == k) place = __popc(alike & ((1u << lane) - 1));
    }
    __syncthreads();
    for (uint32_t k = 0; k < KINDS; ++k)
        for (uint32_t w = 0; w < blockDim.x / 32; ++w) {
            place += k < kind || (k == kind && w < warp) ? counts[k][w] : 0;
            over += k == 2 ? counts[k][w] : 0;
        }
    origins[place] = thread;
    __syncthreads();
    if (over == blockDim.x) return false;
    const uint32_t origin = origins[thread];
    char* bytes = reinterpret_cast<char*>(&mine);
    for (uint32_t done = 0; done < WORDS; done += PART) {
        const uint32_t count = min(PART, WORDS - done);
        const auto word = [&](uint32_t i) { return bytes + (done + i) * sizeof(uint32_t); };
        for (uint32_t i = 0; i < count; ++i) memcpy(&words[i][thread], word(i), sizeof(uint32_t));
        __syncthreads();
        for (uint32_t i = 0; i < count; ++i) memcpy(word(i), &words[i][origin], sizeof(uint32_t));
        __syncthreads();
    }
    return true;
}

template <class World>
__device__ __forceinline__ void play(const WorldArgs& args, float* shared) {
    for (uint32_t i = threadIdx.x; i < args.parameters; i += blockDim.x) shared[i] = args.policy[i];
    __syncthreads();
    const Perceptron<World::OBSERVATIONS, World::OUTPUTS> policy = {shared, shared + args.parameters + threadIdx.x};
    Playing<World> now = {};
    now.more = true;
    for (uint32_t round = 1;; ++round) {
        const bool is_time = __popc(__ballot_sync(~0u, !now.playing)) >= (HEAVY<World> ? 1 : TOGETHER);
        if (is_time && !now.playing && now.more) {
            now.number = atomicAdd(args.queue, 1u);
            now.playing = now.more = now.number < args.count;
            if (now.playing) {
                now.draws = Draws(args, now.number);
                now.world = World(now.draws);
                now.sum = 0.0;
                now.step = 0;
                now.first = HEAVY<World>;
            }
        }
        if constexpr (HEAVY<World>) {
            if (round % STEPS_IN_PLACE == 0 && !change_places(now)) return;
        } else {
            if (!__any_sync(~0u, now.playing)) return;
        }
        if (!now.playing) continue;
        typename World::Action action = {};
        if (!HEAVY<World> || !now.first) {
            if (args.parameters) {
                float seen[World::OBSERVATIONS], outputs[World::OUTPUTS];
                now.world.observe(seen);
                policy.outputs(args, seen, outputs);
                choose(outputs, action);
            } else {
                const Row row = {args.action_seed, STREAM_ACTION, 0, now.number};
                choose<World::OUTPUTS>(row, now.step, action);
            }
        }
        const Outcome outcome = now.world.step(action, now.draws);
        if (HEAVY<World> && now.first) {
            now.first = false;
            continue;
        }
        now.sum = now.sum + outcome.reward;
        ++now.step;
        now.playing = !outcome.terminated && now.step < args.limit;
        if (!now.playing) {
            args.rewards[now.number] = now.sum;
            args.last_rewards[now.number] = outcome.reward;
            args.lengths[now.number] = now.step;
            args.terminated[now.number] = outcome.terminated;
        }
    }
}

}  // namespace

#define ROLLOUT(name, World)                                      \
    KERNEL(rollout_world_##name, WorldArgs, THREADS, 4) {         \
        SHARED(shared);                                           \
        play<World>(args, reinterpret_cast<float*>(shared));      \
    }
EACH_WORLD(ROLLOUT)
