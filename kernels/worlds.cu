// Whole episodes of Gymnasium's worlds, a thread an environment, as in src/rollout/: a thread whose episode has come to its end or its
// limit stores what came of it under the episode's own number and takes the next one of the queue, so nothing depends on which
// thread that was. Limited by issue: the step of the world and the policy's multiply-adds, whose weights every thread of
// a warp reads at once from shared memory.
#include "policy.cuh"
#include "worlds.cuh"

namespace {

// So many threads of a warp wait for each other before they take new episodes: the first state costs more than a step.
constexpr int TOGETHER = 8;

template <class World>
__device__ __forceinline__ void play(const WorldArgs& args, float* shared) {
    for (uint32_t i = threadIdx.x; i < args.parameters; i += blockDim.x) shared[i] = args.policy[i];
    __syncthreads();
    const Perceptron<World::OBSERVATIONS, World::OUTPUTS> policy = {shared, shared + args.parameters + threadIdx.x};
    Row row = {args.action_seed, STREAM_ACTION, 0, 0};
    Draws draws;
    World world;
    double sum = 0.0;
    uint32_t number = 0, step = 0;
    bool playing = false, more = true;
    for (;;) {
        if (__popc(__ballot_sync(~0u, !playing)) >= TOGETHER && !playing && more) {
            number = atomicAdd(args.queue, 1u);
            playing = more = number < args.count;
            if (playing) {
                row.index = args.first + number;
                draws = Draws(args, row.index);
                world = World(draws);
                sum = 0.0;
                step = 0;
            }
        }
        if (!__any_sync(~0u, playing)) return;
        if (!playing) continue;
        typename World::Action action;
        if (args.parameters) {
            float seen[World::OBSERVATIONS], outputs[World::OUTPUTS];
            world.observe(seen);
            policy.outputs(args, seen, outputs);
            choose(outputs, action);
        } else {
            choose<World::OUTPUTS>(row, step, action);
        }
        const Outcome outcome = world.step(action, draws);
        sum = sum + outcome.reward;
        ++step;
        playing = !outcome.terminated && step < args.limit;
        if (!playing) {
            args.rewards[number] = sum;
            args.last_rewards[number] = outcome.reward;
            args.lengths[number] = step;
            args.terminated[number] = outcome.terminated;
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
