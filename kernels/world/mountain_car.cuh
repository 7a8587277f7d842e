// MountainCar, twin of src/world/mountain_car.rs, where the equations are.
#pragma once
#include "classic.cuh"

template <class F>
struct MountainCar {
    using Action = int32_t;
    static constexpr uint32_t OBSERVATIONS = 2, OUTPUTS = 3;

    F position, velocity;

    MountainCar() = default;

    __device__ __forceinline__ explicit MountainCar(Draws& draws) : position((F)draws.between(-0.6, -0.4)), velocity(0) {}

    __device__ __forceinline__ Outcome step(Action action, Draws&) {
        constexpr F LEFT = -1.2, RIGHT = 0.6, GOAL = 0.5, TOP_SPEED = 0.07, ZERO = 0;
        const auto held = [](F x, F low, F high) {
            x = x < low ? low : x;
            return x > high ? high : x;
        };
        const F slope = classic::cosine((F)3.0 * position), push = classic::direction<F>(action) * (F)0.001;
        velocity = held(velocity + (push + slope * (F)-0.0025), -TOP_SPEED, TOP_SPEED);
        position = held(position + velocity, LEFT, RIGHT);
        if (position == LEFT && velocity < ZERO) velocity = ZERO;
        return {-1.0, position >= GOAL && velocity >= ZERO};
    }

    __device__ __forceinline__ void observe(float (&to)[OBSERVATIONS]) const {
        to[0] = (float)position;
        to[1] = (float)velocity;
    }
};
