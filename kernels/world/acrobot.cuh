// Acrobot, twin of src/world/acrobot.rs, where the equations are.
#pragma once
#include "classic.cuh"

template <class F>
struct Acrobot {
    using Action = int32_t;
    static constexpr uint32_t OBSERVATIONS = 6, OUTPUTS = 3;
    static constexpr F PI = 3.14159265358979323846;

    // Angles and their velocities.
    struct State {
        F upper, lower, upper_spin, lower_spin;

        __device__ __forceinline__ State moved(const State& slope, F time) const {
            return {upper + time * slope.upper, lower + time * slope.lower, upper_spin + time * slope.upper_spin,
                    lower_spin + time * slope.lower_spin};
        }

        __device__ __forceinline__ State derivative(F torque) const {
            constexpr F HALF_PI = 3.14159265358979323846 / 2.0;
            F sin, cos;
            num::sin_cos(lower, sin, cos);
            const F d1 = (F)0.25 + ((F)1.25 + cos) + (F)1.0 + (F)1.0;
            const F d2 = (F)0.25 + (F)0.5 * cos + (F)1.0;
            const F phi2 = (F)(0.5 * 9.8) * classic::cosine(upper + lower - HALF_PI);
            const F phi1 = (F)-0.5 * num::square(lower_spin) * sin - lower_spin * upper_spin * sin +
                           (F)(1.5 * 9.8) * classic::cosine(upper - HALF_PI) + phi2;
            const F pull = torque + d2 / d1 * phi1 - (F)0.5 * num::square(upper_spin) * sin - phi2;
            const F lower_push = pull / ((F)1.25 - num::square(d2) / d1);
            return {upper_spin, lower_spin, -(d2 * lower_push + phi1) / d1, lower_push};
        }
    };

    State state;
    F upper_sin, upper_cos, lower_sin, lower_cos;

    Acrobot() = default;

    __device__ __forceinline__ explicit Acrobot(Draws& draws) {
        // Gymnasium rounds the first state to single precision.
        state.upper = (F)(float)draws.between(-0.1, 0.1);
        state.lower = (F)(float)draws.between(-0.1, 0.1);
        state.upper_spin = (F)(float)draws.between(-0.1, 0.1);
        state.lower_spin = (F)(float)draws.between(-0.1, 0.1);
        look();
    }

    __device__ __forceinline__ Outcome step(Action action, Draws&) {
        constexpr F TAU = 0.2, HALF_TAU = 0.2 / 2.0, SIXTH_TAU = 0.2 / 6.0, TWO = 2.0;
        const F torque = classic::direction<F>(action);
        // The slopes are added up as they come: k1 + 2 k2 + 2 k3 + k4, from the left. In a loop, four times as much would
        // have to lie in the cache of instructions.
        State sum = state.derivative(torque), slope = sum;
#pragma unroll 1
        for (int i = 0; i < 3; ++i) {
            slope = state.moved(slope, i < 2 ? HALF_TAU : TAU).derivative(torque);
            sum = sum.moved(slope, i < 2 ? TWO : (F)1.0);
        }
        state = state.moved(sum, SIXTH_TAU);
        state.upper = wrapped(state.upper);
        state.lower = wrapped(state.lower);
        state.upper_spin = held(state.upper_spin, (F)(4.0 * 3.14159265358979323846));
        state.lower_spin = held(state.lower_spin, (F)(9.0 * 3.14159265358979323846));
        look();
        const bool terminated = -upper_cos - classic::cosine(state.lower + state.upper) > (F)1.0;
        return {terminated ? 0.0 : -1.0, terminated};
    }

    __device__ __forceinline__ void observe(float (&to)[OBSERVATIONS]) const {
        to[0] = (float)upper_cos;
        to[1] = (float)upper_sin;
        to[2] = (float)lower_cos;
        to[3] = (float)lower_sin;
        to[4] = (float)state.upper_spin;
        to[5] = (float)state.lower_spin;
    }

private:
    __device__ __forceinline__ void look() {
        num::sin_cos(state.upper, upper_sin, upper_cos);
        num::sin_cos(state.lower, lower_sin, lower_cos);
    }

    static __device__ __forceinline__ F wrapped(F angle) {
        constexpr F TURN = 2.0 * 3.14159265358979323846;
        for (int i = 0; i < 6; ++i) angle = angle - (angle > PI ? TURN : angle < -PI ? -TURN : (F)0.0);
        return angle;
    }

    static __device__ __forceinline__ F held(F x, F limit) {
        x = x > limit ? limit : x;
        return x < -limit ? -limit : x;
    }
};
