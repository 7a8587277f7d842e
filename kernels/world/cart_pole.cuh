// CartPole, twin of src/world/cart_pole.rs, where the equations are.
#pragma once
#include "classic.cuh"

template <class F>
struct CartPole {
    using Action = int32_t;
    static constexpr uint32_t OBSERVATIONS = 4, OUTPUTS = 2;

    F x, velocity, angle, spin;

    CartPole() = default;

    __device__ __forceinline__ explicit CartPole(Draws& draws) {
        x = (F)draws.between(-0.05, 0.05);
        velocity = (F)draws.between(-0.05, 0.05);
        angle = (F)draws.between(-0.05, 0.05);
        spin = (F)draws.between(-0.05, 0.05);
    }

    __device__ __forceinline__ Outcome step(Action action, Draws&) {
        constexpr F MASS = 0.1 + 1.0, MOMENT = 0.1 * 0.5, TAU = 0.02, TRACK = 2.4;
        constexpr F FALLEN = 12.0 * 2.0 * 3.14159265358979323846 / 360.0;
        const F force = action == 1 ? (F)10.0 : (F)-10.0;
        F sin, cos;
        num::sin_cos(angle, sin, cos);
        const F pushed = classic::over(force + MOMENT * (spin * spin) * sin, MASS);
        const F inertia = (F)0.5 * ((F)(4.0 / 3.0) - classic::over((F)0.1 * (cos * cos), MASS));
        const F angular = ((F)9.8 * sin - cos * pushed) / inertia;
        const F linear = pushed - classic::over(MOMENT * angular * cos, MASS);
        x = x + TAU * velocity;
        velocity = velocity + TAU * linear;
        angle = angle + TAU * spin;
        spin = spin + TAU * angular;
        return {1.0, x < -TRACK || x > TRACK || angle < -FALLEN || angle > FALLEN};
    }

    __device__ __forceinline__ void observe(float (&to)[OBSERVATIONS]) const {
        to[0] = (float)x;
        to[1] = (float)velocity;
        to[2] = (float)angle;
        to[3] = (float)spin;
    }
};
