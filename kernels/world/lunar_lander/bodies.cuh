// The lander and its two legs, twin of src/world/lunar_lander/bodies.rs.
#pragma once
#include "geometry.cuh"

namespace lunar_lander {

constexpr float STEP = 0.02f, SLOP = 0.005f, ANGULAR_SLOP = 2.0f / 180.0f * PI, SKIN = 2.0f * SLOP, MARGIN = 0.1f;
constexpr int LANDER = 0, BODIES = 3, MOST_CORNERS = 6;

// What does not change of a body and is looked up by number.
struct Form {
    int corners;
    Vec2 vertices[MOST_CORNERS], normals[MOST_CORNERS];
    Vec2 centroid;
    float friction[2];
};

__device__ const Form FORMS[2] = {
    {6,
     {{0.56666666f, -0.33333334f},
      {0.56666666f, 0.0f},
      {0.46666667f, 0.56666666f},
      {-0.46666667f, 0.56666666f},
      {-0.56666666f, 0.0f},
      {-0.56666666f, -0.33333334f}},
     {{1.0f, -0.0f}, {0.9847836f, 0.17378533f}, {0.0f, 1.0f}, {-0.9847836f, 0.17378533f}, {-1.0f, -0.0f}, {0.0f, -1.0f}},
     {3.867083e-9f, 0.101307176f},
     {0.1f, 0.14142136f}},
    {4,
     {{-0.06666667f, -0.26666668f}, {0.06666667f, -0.26666668f}, {0.06666667f, 0.26666668f}, {-0.06666667f, 0.26666668f}},
     {{0.0f, -1.0f}, {1.0f, 0.0f}, {0.0f, 1.0f}, {-1.0f, 0.0f}},
     {0.0f, 0.0f},
     {0.14142136f, 0.2f}},
};

__device__ __forceinline__ const Form& form_of(int body) { return FORMS[body != LANDER]; }

// The rest of it, which becomes constants in the instructions.
__device__ __forceinline__ constexpr float inverse_mass(int body) { return body == LANDER ? 0.20761245f : 14.062498f; }
__device__ __forceinline__ constexpr float inverse_inertia(int body) { return body == LANDER ? 1.2757043f : 558.36383f; }
__device__ __forceinline__ constexpr Vec2 centre_of(int body) { return {0.0f, body == LANDER ? 0.10130719f : 0.0f}; }

// The box of a body and its skin.
__device__ __forceinline__ Bounds bounds_of(int body, const Pose& pose) {
    Bounds exact = Bounds::nothing();
    const auto take_pair = [&](float x, float y) {
        const float x_part = fabsf(pose.turn.cos * x), y_part = fabsf(pose.turn.sin * x);
        const float x_rest = -(pose.turn.sin * y), y_rest = pose.turn.cos * y;
        exact.take({-x_part + x_rest, -y_part + y_rest});
        exact.take({x_part + x_rest, y_part + y_rest});
    };
    if (body == LANDER) {
        take_pair(0.56666666f, -0.33333334f);
        take_pair(0.56666666f, 0.0f);
        take_pair(0.46666667f, 0.56666666f);
    } else {
        take_pair(0.06666667f, -0.26666668f);
        take_pair(0.06666667f, 0.26666668f);
    }
    exact = exact.grown(0.0f);
    return Bounds{exact.low + pose.origin, exact.high + pose.origin}.grown(SKIN);
}

struct Body {
    Vec2 centre;
    float angle;
    Vec2 velocity;
    float spin;
    Turn turn;
    float quiet;
    Bounds bounds, wide;

    // At rest, its origin here.
    __device__ __forceinline__ void start(int body, Vec2 origin, float at_angle) {
        const Pose pose = {origin, Turn::by(at_angle)};
        centre = pose.of(centre_of(body));
        angle = at_angle;
        velocity = {0.0f, 0.0f};
        spin = 0.0f;
        turn = pose.turn;
        quiet = 0.0f;
        bounds = bounds_of(body, pose);
        wide = bounds.grown(MARGIN);
    }

    __device__ __forceinline__ Pose pose(int body) const { return Pose::around(centre, centre_of(body), turn); }

    // A change of momentum, N s, at a point of the world.
    __device__ __forceinline__ void push(int body, Vec2 impulse, Vec2 point) {
        velocity = velocity + inverse_mass(body) * impulse;
        spin += inverse_inertia(body) * cross(point - centre, impulse);
    }

    __device__ __forceinline__ void go(float time) {
        constexpr float FARTHEST = 2.0f, FURTHEST = 0.5f * PI;
        const Vec2 path = time * velocity;
        if (dot(path, path) > FARTHEST * FARTHEST) velocity = FARTHEST / length(path) * velocity;
        const float arc = time * spin;
        if (arc * arc > FURTHEST * FURTHEST) spin *= FURTHEST / fabsf(arc);
        centre = centre + time * velocity;
        set_angle(angle + time * spin);
    }

    __device__ __forceinline__ void set_angle(float to) {
        if (__float_as_uint(to) == __float_as_uint(angle)) return;
        angle = to;
        turn = Turn::by(to);
    }

    // Correct place and angle by an impulse of position at an arm from the centre of mass.
    __device__ __forceinline__ void shift(int body, Vec2 impulse, Vec2 arm) {
        centre = centre + inverse_mass(body) * impulse;
        set_angle(angle + inverse_inertia(body) * cross(arm, impulse));
    }

    __device__ __forceinline__ bool is_slow() const {
        constexpr float SLOW = 0.01f;
        return spin * spin <= ANGULAR_SLOP * ANGULAR_SLOP && dot(velocity, velocity) <= SLOW * SLOW;
    }

    // Renew the wide box if the box of a motion, along `path`, has left it. Whether it has.
    __device__ __forceinline__ bool widen(const Bounds& swept, Vec2 path) {
        if (wide.holds(swept)) return false;
        wide = swept.grown(MARGIN).stretched(2.0f * path);
        return true;
    }
};

}  // namespace lunar_lander
