// An episode on its way, as src/world/environments.rs has it: what steps it, and what becomes of it.
#pragma once
#include "policy.cuh"
#include "worlds.cuh"

template <class World>
struct Playing {
    World world;
    Draws draws;
    double sum;
    uint32_t number, step;  // of its results
    bool playing;           // it is not over
    bool first;             // its next step is the one that nobody sees
};

template <class World>
__device__ __forceinline__ void begin(Playing<World>& now, uint32_t number, const Draws& draws) {
    now.number = number;
    now.playing = true;
    now.draws = draws;
    now.world = World(now.draws);
    now.sum = 0.0;
    now.step = 0;
    now.first = HEAVY<World>;
}

// One step: `act` chooses. What came of an episode that is over then stands under its number.
template <class World, class Act>
__device__ __forceinline__ void advance(const WorldArgs& args, Playing<World>& now, Act act) {
    typename World::Action action = {};
    if (!HEAVY<World> || !now.first) act(action);
    const Outcome outcome = now.world.step(action, now.draws);
    if (HEAVY<World> && now.first) {
        now.first = false;
        return;
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

// What a network does in the world as it is.
template <class World>
__device__ __forceinline__ void ask(const WorldArgs& args, const float* parameters, float* neurons, const World& world,
                                    typename World::Action& action) {
    const Perceptron<World::OBSERVATIONS, World::OUTPUTS> policy = {parameters, neurons};
    float seen[World::OBSERVATIONS], outputs[World::OUTPUTS];
    world.observe(seen);
    policy.outputs(args, seen, outputs);
    choose(outputs, action);
}
