// What acts on the lander before a step's physics, in double precision, twin of src/world/lunar_lander/engines.rs.
#pragma once
#include "../../num_hyperbolic.cuh"
#include "physics.cuh"

namespace lunar_lander {

// How much an action opens the engines: 0, or from a half to 1; direction -1 fires to the left, 1 to the right.
struct Throttle {
    double main, side, direction;

    __device__ __forceinline__ explicit Throttle(int32_t action)
        : main(action == 2 ? 1.0 : 0.0),
          side(action == 1 || action == 3 ? 1.0 : 0.0),
          direction(action == 1 ? -1.0 : action == 3 ? 1.0 : 0.0) {}

    __device__ __forceinline__ explicit Throttle(float2 action) {
        const auto clipped = [](float x) { return (double)(x < -1.0f ? -1.0f : x > 1.0f ? 1.0f : x); };
        const double upwards = clipped(action.x), aside = clipped(action.y);
        const bool is_on = fabs(aside) > 0.5;
        main = upwards > 0.0 ? (upwards + 1.0) * 0.5 : 0.0;
        side = is_on ? fabs(aside) : 0.0;
        direction = is_on ? copysign(1.0, aside) : 0.0;
    }

    // What its fuel takes from the reward.
    __device__ __forceinline__ double cost(double reward) const { return reward - main * 0.30 - side * 0.03; }
};

// Fire the engines, which draws two numbers in any case.
__device__ __forceinline__ void fire(Body& lander, const Throttle& throttle, Draws& draws) {
    constexpr double SCALE = 30.0, MAIN_POWER = 13.0, SIDE_POWER = 0.6;
    const double first = draws.between(-1.0, 1.0) / SCALE, second = draws.between(-1.0, 1.0) / SCALE;
    if (!(throttle.main > 0.0 || throttle.side > 0.0)) return;
    double sin, cos;
    num::sin_cos((double)lander.angle, sin, cos);
    // The side's direction is (-cos, sin).
    const Vec2 at = lander.pose(LANDER).origin;
    const double origin_x = at.x, origin_y = at.y;
    if (throttle.main > 0.0) {
        const double down = 4.0 / SCALE + 2.0 * first;
        const double x = sin * down + -cos * second, y = -cos * down - sin * second;
        const Vec2 impulse = {(float)(-x * MAIN_POWER * throttle.main), (float)(-y * MAIN_POWER * throttle.main)};
        lander.push(LANDER, impulse, {(float)(origin_x + x), (float)(origin_y + y)});
    }
    if (throttle.side > 0.0) {
        const double away = 3.0 * second + throttle.direction * 12.0 / SCALE;
        const double x = sin * first + -cos * away, y = -cos * first - sin * away;
        const Vec2 impulse = {(float)(-x * SIDE_POWER * throttle.side), (float)(-y * SIDE_POWER * throttle.side)};
        const double point_x = origin_x + x - sin * 17.0 / SCALE, point_y = origin_y + y + cos * 14.0 / SCALE;
        lander.push(LANDER, impulse, {(float)point_x, (float)point_y});
    }
}

// How far the wind has come in its patterns.
struct Wind {
    int32_t force, torque;

    __device__ __forceinline__ void start(Draws& draws) {
        force = draws.integer(-9999, 9998);
        torque = draws.integer(-9999, 9998);
    }

    // As long as no leg's flag says that it touches the ground.
    __device__ __forceinline__ void blow(Physics& physics) {
        if (physics.contacts.legs[0] || physics.contacts.legs[1]) return;
        physics.force.x += (float)(gust(force) * 15.0);
        physics.torque += (float)(gust(torque) * 1.5);
        ++force;
        ++torque;
    }

private:
    static __device__ __noinline__ double gust(int32_t index) {
        constexpr double SLOWLY = 3.14159265358979323846 * 0.01;
        double fast, slow, cos;
        num::sin_cos(0.02 * index, fast, cos);
        num::sin_cos(SLOWLY * index, slow, cos);
        return num::tanh(fast + slow);
    }
};

}  // namespace lunar_lander
