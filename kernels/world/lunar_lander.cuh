// LunarLander, twin of src/world/lunar_lander/, where the equations and their sources are: a file here for nearly each one
// there. A thread is one environment, whose state lies in local memory; the velocity solver has what it works on in registers.
#pragma once
#include "classic.cuh"
#include "lunar_lander/engines.cuh"

template <class A, uint32_t COUNT, bool WITH_WIND, bool IS_FAST>
struct LanderKind {
    using Action = A;
    static constexpr uint32_t OUTPUTS = COUNT;
    static constexpr bool WIND = WITH_WIND, FAST = IS_FAST;
};

template <class Kind>
struct Lander {
    using Action = typename Kind::Action;
    static constexpr uint32_t OBSERVATIONS = 8, OUTPUTS = Kind::OUTPUTS;

    lunar_lander::Physics physics;
    lunar_lander::Wind wind;
    double shaping;

    Lander() = default;

    // Before the step that a reset takes, whose outcome nobody sees.
    __device__ __forceinline__ explicit Lander(Draws& draws) {
        physics.terrain.draw(draws);
        physics.start();
        const float x = (float)draws.between(-1000.0, 1000.0), y = (float)draws.between(-1000.0, 1000.0);
        physics.force = {x, y};
        if (Kind::WIND) wind.start(draws);
        shaping = 0.0;
    }

    __device__ __forceinline__ Outcome step(Action action, Draws& draws) {
        const lunar_lander::Throttle throttle(action);
        if (Kind::WIND) wind.blow(physics);
        lunar_lander::fire(physics.bodies[lunar_lander::LANDER], throttle, draws);
        lunar_lander::Solver solver;
        physics.begin(solver);
        solver.template run<Kind::FAST>();
        physics.end(solver);

        double now[OBSERVATIONS];
        state(now);
        const double before = shaping;
        shaping = -100.0 * sqrt(now[0] * now[0] + now[1] * now[1]) - 100.0 * sqrt(now[2] * now[2] + now[3] * now[3]) -
                  100.0 * fabs(now[4]) + 10.0 * now[6] + 10.0 * now[7];
        if (!physics.awake[lunar_lander::LANDER]) return {100.0, true};
        if (physics.contacts.crashed || fabs(now[0]) >= 1.0) return {-100.0, true};
        return {throttle.cost(shaping - before), false};
    }

    __device__ __forceinline__ void observe(float (&to)[OBSERVATIONS]) const {
        double now[OBSERVATIONS];
        state(now);
#pragma unroll
        for (uint32_t i = 0; i < OBSERVATIONS; ++i) to[i] = (float)now[i];
    }

    // Whether anything is close to the ground, so that the next step looks for contacts and perhaps solves some.
    __device__ __forceinline__ bool is_slow() const { return physics.contacts.count > 0; }

private:
    // The observation before it is rounded.
    __device__ __forceinline__ void state(double (&to)[OBSERVATIONS]) const {
        using namespace lunar_lander;
        const Body& lander = physics.bodies[LANDER];
        const Vec2 origin = lander.pose(LANDER).origin;
        to[0] = ((double)origin.x - WIDTH / 2.0) / (WIDTH / 2.0);
        to[1] = ((double)origin.y - (PAD + 18.0 / 30.0)) / (HEIGHT / 2.0);
        to[2] = (double)lander.velocity.x * (WIDTH / 2.0) / 50.0;
        to[3] = (double)lander.velocity.y * (HEIGHT / 2.0) / 50.0;
        to[4] = (double)lander.angle;
        to[5] = 20.0 * (double)lander.spin / 50.0;
        to[6] = physics.contacts.legs[0] ? 1.0 : 0.0;
        to[7] = physics.contacts.legs[1] ? 1.0 : 0.0;
    }
};

using LunarLander = Lander<LanderKind<int32_t, 4, false, false>>;
using LunarLanderWind = Lander<LanderKind<int32_t, 4, true, false>>;
using LunarLanderContinuous = Lander<LanderKind<float2, 2, false, false>>;
using LunarLanderContinuousWind = Lander<LanderKind<float2, 2, true, false>>;
using LunarLanderFast = Lander<LanderKind<int32_t, 4, false, true>>;
