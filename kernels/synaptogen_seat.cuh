// A world that one lane steps by itself. It lies in global memory with what it draws; a step is made of a copy, as the
// lander's functions are compiled for worlds in local memory (with pointers to global memory from here, those of rollouts
// would spill).
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

// Six words on their way at once: a lander has 150.
template <class World>
__device__ __forceinline__ void copy(World& to, const World& from) {
    if constexpr (!HEAVY<World>) {
        to = from;
    } else {
        constexpr uint32_t TOGETHER = 6, WORDS = sizeof(World) / sizeof(uint64_t);
        static_assert(sizeof(World) % sizeof(uint64_t) == 0 && WORDS % TOGETHER == 0);
        const auto word = [](const World& of, uint32_t i) {
            return __builtin_assume_aligned((const char*)&of + i * sizeof(uint64_t), sizeof(uint64_t));
        };
#pragma unroll 1
        for (uint32_t first = 0; first < WORDS; first += TOGETHER) {
            uint64_t words[TOGETHER];
#pragma unroll
            for (uint32_t i = 0; i < TOGETHER; ++i) memcpy(&words[i], word(from, first + i), sizeof words[i]);
#pragma unroll
            for (uint32_t i = 0; i < TOGETHER; ++i) memcpy((void*)word(to, first + i), &words[i], sizeof words[i]);
        }
    }
}

// One step; what is seen after it.
template <class World>
__device__ __noinline__ Outcome step_world(void* at, int32_t action, float* seen) {
    static_assert(sizeof(Seat<World>) <= SEAT_BYTES, "a world's room");
    Seat<World>& seat = *(Seat<World>*)at;
    World world;
    copy(world, seat.world);
    const Outcome outcome = world.step(action, seat.draws);
    copy(seat.world, world);
    show(world, seen);
    return outcome;
}

// The beginning of an episode, and what is seen there.
template <class World>
__device__ __noinline__ void begin_world(void* at, uint64_t seed, uint32_t episode, float* seen) {
    Seat<World>& seat = *(Seat<World>*)at;
    seat.draws = Draws(seed, episode);
    const World world(seat.draws);
    copy(seat.world, world);
    if constexpr (HEAVY<World>)
        step_world<World>(at, {}, seen);
    else
        show(world, seen);
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
