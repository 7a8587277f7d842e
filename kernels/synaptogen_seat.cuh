// A world that one lane steps by itself, with what it draws, in global memory: there a lander's 1.4 KB are eleven lines
// of the nearest cache, and as many words of a lone lane's local memory would be three hundred.
#pragma once
#include "worlds.cuh"

// X(number, World): worlds that deep Q-learning is about, by their numbers in the arguments.
#define EACH_LEARNT_WORLD(X) \
    X(LEARNT_CARTPOLE, CartPole<double>) \
    X(LEARNT_CARTPOLE_F32, CartPole<float>) \
    X(LEARNT_MOUNTAIN_CAR, MountainCar<double>) \
    X(LEARNT_MOUNTAIN_CAR_F32, MountainCar<float>) \
    X(LEARNT_ACROBOT, Acrobot<double>) \
    X(LEARNT_ACROBOT_F32, Acrobot<float>) \
    X(LEARNT_LUNAR_LANDER, LunarLander) \
    X(LEARNT_LUNAR_LANDER_FAST, LunarLanderFast)

namespace seat {

template <class World>
struct Seat {
    World world;
    Draws draws;
};

template <class World>
__device__ __forceinline__ void show(const World& world, float* seen) {
    float now[World::OBSERVATIONS];
    world.observe(now);
#pragma unroll
    for (uint32_t i = 0; i < World::OBSERVATIONS; ++i) seen[i] = now[i];
}

// One step; what is seen after it.
template <class World>
__device__ __noinline__ Outcome step_world(void* at, int32_t action, float* seen) {
    static_assert(sizeof(Seat<World>) <= SEAT_BYTES, "a world's room");
    Seat<World>& seat = *(Seat<World>*)at;
    Outcome outcome;
    if constexpr (HEAVY<World>) {
        outcome = seat.world.step(action, seat.draws);
        show(seat.world, seen);
    } else {
        World world = seat.world;
        outcome = world.step(action, seat.draws);
        seat.world = world;
        show(world, seen);
    }
    return outcome;
}

// The beginning of an episode, and what is seen there.
template <class World>
__device__ __noinline__ void begin_world(void* at, uint64_t seed, uint32_t episode, float* seen) {
    Seat<World>& seat = *(Seat<World>*)at;
    seat.draws = Draws(seed, episode);
    seat.world = World(seat.draws);
    if constexpr (HEAVY<World>)
        step_world<World>(at, {}, seen);
    else
        show(seat.world, seen);
}

__device__ __forceinline__ Outcome step(uint32_t world, void* at, int32_t action, float* seen) {
#define STEP_WORLD(number, World) \
    case number: return step_world<World>(at, action, seen);
    switch (world) { EACH_LEARNT_WORLD(STEP_WORLD) }
#undef STEP_WORLD
    return {0.0, true};
}

__device__ __forceinline__ void begin(uint32_t world, void* at, uint64_t seed, uint32_t episode, float* seen) {
#define BEGIN_WORLD(number, World) \
    case number: return begin_world<World>(at, seed, episode, seen);
    switch (world) { EACH_LEARNT_WORLD(BEGIN_WORLD) }
#undef BEGIN_WORLD
}

}  // namespace seat
