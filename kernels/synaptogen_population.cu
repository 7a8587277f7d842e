// Whole episodes of a population, whose agents have weights of their own, as src/rollout/population.rs. A warp has a few seats;
// an agent takes one with its weights in shared memory, and its episodes go to the seat's lanes, so that most of what a warp
// reads there is read by ten lanes at once. When an agent's last episode is over its seat takes the next one of the queue, so
// nothing depends on which seat that was.
//
// Limited by issue, as kernels/worlds.cu: multiply-adds and activations of the policy, and the step of the world.
#include "playing.cuh"

namespace population {

constexpr uint32_t NOBODY = ~0u;

// What the world draws for an agent, twin of Population::seeds.
__device__ __forceinline__ uint64_t seed_of(const PopulationArgs& args, uint32_t agent) {
    const Row row = {args.seeds[agent / args.together], STREAM_AGENT_EPISODES, 0, agent % args.together};
    const uint4 w = words(row, 0);
    return (uint64_t)w.y << 32 | w.x;
}

template <class World>
__device__ __forceinline__ void play(const PopulationArgs& args, float* shared) {
    const uint32_t lane = threadIdx.x % LANES, warp = threadIdx.x / LANES, warps = blockDim.x / LANES;
    const uint32_t parameters = args.world.parameters, seat = lane / args.lanes;
    float* const policies = shared + warp * args.seats * args.pitch;
    float* const neurons = shared + warps * args.seats * args.pitch + threadIdx.x;
    const bool is_seated = seat < args.seats;
    const uint32_t leader = seat * args.lanes;
    const uint32_t mine = is_seated ? (args.lanes == LANES ? ~0u : (1u << args.lanes) - 1) << leader : 0;
    Playing<World> now = {};
    uint32_t agent = NOBODY, taken = args.episodes;
    uint64_t seed = 0;
    bool more = true;  // agents; the same in all lanes, as are the masks
    for (;;) {
        uint32_t playing = __ballot_sync(~0u, now.playing);
        const bool is_free = is_seated && lane == leader && !(playing & mine) && taken >= args.episodes;
        for (uint32_t free = more ? __ballot_sync(~0u, is_free) : 0; free; free &= free - 1) {
            const uint32_t of = (uint32_t)(__ffs((int)free) - 1) / args.lanes;
            uint32_t next = 0;
            if (lane == 0) next = atomicAdd(args.world.queue, 1u);
            next = __shfl_sync(~0u, next, 0);
            more = next < args.agents;
            if (!more) break;
            const float* const from = args.world.policy + (size_t)next * args.stride;
            for (uint32_t i = lane; i < parameters; i += LANES) policies[of * args.pitch + i] = from[i];
            if (seat == of) {
                agent = next;
                taken = 0;
                seed = seed_of(args, agent);
            }
        }
        __syncwarp();
        // Lanes that are idle take the next episodes of their agent in their order.
        const uint32_t idle = mine & ~playing, before = idle & ((1u << lane) - 1);
        const uint32_t episode = taken + __popc(before);
        if (is_seated && !now.playing && episode < args.episodes)
            begin(now, agent * args.episodes + episode, Draws(seed, episode));
        taken += __popc(idle);
        if (taken > args.episodes) taken = args.episodes;
        playing = __ballot_sync(~0u, now.playing);
        if (!playing) {
            if (more) continue;
            return;
        }
        if (now.playing)
            advance(args.world, now, [&](typename World::Action& action) {
                ask(args.world, policies + seat * args.pitch, neurons, now.world, action);
            });
    }
}

}  // namespace population

// With the blocks that rollouts have, a heavy world would have to spill.
#define POPULATION(name, World)                                                     \
    KERNEL(population_world_##name, PopulationArgs, THREADS, HEAVY<World> ? 3 : 4) { \
        SHARED(shared);                                                             \
        population::play<World>(args, reinterpret_cast<float*>(shared));            \
    }
EACH_WORLD(POPULATION)
