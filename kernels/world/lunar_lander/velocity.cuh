// The velocity solver, twin of src/world/lunar_lander/velocity/: 180 passes over two joints and the contacts, which is where
// nearly all of a step's time goes. Of one environment; joints and velocities stay in registers, contacts in local memory,
// and a warp none of whose environments touches the ground never looks there.
#pragma once
#include "bodies.cuh"

namespace lunar_lander {

constexpr int PASSES = 180, SLOTS = 4, MOST = 12;
// In both joints.
constexpr float MOTOR_LIMIT = STEP * 40.0f;

struct Motion {
    float x, y, spin;

    __device__ __forceinline__ void push(int body, float push_x, float push_y, float turn) {
        x = x + inverse_mass(body) * push_x;
        y = y + inverse_mass(body) * push_y;
        spin = spin + inverse_inertia(body) * turn;
    }

    __device__ __forceinline__ void pull(int body, float pull_x, float pull_y, float turn) {
        x = x - inverse_mass(body) * pull_x;
        y = y - inverse_mass(body) * pull_y;
        spin = spin - inverse_inertia(body) * turn;
    }

    // Velocity of a point of the body in a direction.
    __device__ __forceinline__ float at(Vec2 arm, Vec2 direction) const {
        return (x - spin * arm.y) * direction.x + (y + spin * arm.x) * direction.y;
    }

    // An impulse at a point in a direction.
    __device__ __forceinline__ void hit(int body, Vec2 arm, Vec2 direction, float size) {
        const Vec2 impulse = size * direction;
        push(body, impulse.x, impulse.y, cross(arm, impulse));
    }
};

struct Impulses {
    float x, y, limit, motor;
};

struct JointRows {
    float lander_x, lander_y, leg_x, leg_y;
    float k_xx, k_xy, k_xz, k_yy, k_yz, cross_x, cross_y, cross_z;
    float inverse_3, inverse_2, limit_x, limit_y, sign, least;

    // A pass: first the motor, then the joint and its limit.
    __device__ __forceinline__ void pass(int joint, Impulses& impulses, Motion& lander, Motion& leg) const {
        constexpr float K_ZZ = inverse_inertia(0) + inverse_inertia(1);
        const float slip = leg.spin - lander.spin - (joint == 0 ? -0.3f : 0.3f);
        const float motor = clamp(impulses.motor + -(1.0f / K_ZZ) * slip, -MOTOR_LIMIT, MOTOR_LIMIT);
        const float change = motor - impulses.motor;
        impulses.motor = motor;
        lander.spin = lander.spin - inverse_inertia(0) * change;
        leg.spin = leg.spin + inverse_inertia(1) * change;

        const float error_x = leg.x - leg.spin * leg_y - lander.x + lander.spin * lander_y;
        const float error_y = leg.y + leg.spin * leg_x - lander.y - lander.spin * lander_x;
        const float error = leg.spin - lander.spin;
        float x = inverse_3 * (error_x * cross_x + error_y * cross_y + error * cross_z);
        float y = inverse_3 * (k_xx * (error_y * K_ZZ - error * k_yz) + k_xy * (error * k_xz - error_x * K_ZZ) +
                               k_xz * (error_x * k_yz - error_y * k_xz));
        float z = inverse_3 * (k_xx * (k_yy * error - k_yz * error_y) + k_xy * (k_yz * error_x - k_xy * error) +
                               k_xz * (k_xy * error_y - k_yy * error_x));
        const float limit = impulses.limit + z;
        if (limit * sign < least) {
            // Without the limit, or letting go of it.
            const float right_x = impulses.limit * limit_x - error_x, right_y = impulses.limit * limit_y - error_y;
            x = inverse_2 * (k_yy * right_x - k_xy * right_y);
            y = inverse_2 * (k_xx * right_y - k_xy * right_x);
            z = -impulses.limit;
            impulses.limit = 0.0f;
        } else {
            impulses.limit = limit;
        }
        impulses.x = impulses.x + x;
        impulses.y = impulses.y + y;
        lander.pull(0, x, y, lander_x * y - lander_y * x + z);
        leg.push(1, x, y, leg_x * y - leg_y * x + z);
    }
};

struct Pressure {
    float first_normal, first_tangent, second_normal, second_tangent;
};

struct ContactRows {
    bool is_double;
    Vec2 normal;
    float friction;
    Vec2 first;
    float first_normal_mass, first_tangent_mass;
    Vec2 second;
    float second_normal_mass, second_tangent_mass;
    float k_11, k_12, k_22, inverse_11, inverse_12, inverse_22;

    // A pass: friction of each point, then what keeps the points from coming nearer.
    __device__ __forceinline__ void pass(int body, Pressure& pressure, Motion& motion) const {
        rub(body, motion, first, first_tangent_mass, pressure.first_normal, pressure.first_tangent);
        if (is_double) {
            rub(body, motion, second, second_tangent_mass, pressure.second_normal, pressure.second_tangent);
            const Vec2 old = {pressure.first_normal, pressure.second_normal};
            const Vec2 now = block(old, {motion.at(first, normal), motion.at(second, normal)});
            const Vec2 on_first = (now.x - old.x) * normal, on_second = (now.y - old.y) * normal;
            const float turn = cross(first, on_first) + cross(second, on_second);
            motion.push(body, on_first.x + on_second.x, on_first.y + on_second.y, turn);
            pressure.first_normal = now.x;
            pressure.second_normal = now.y;
        } else {
            const float sum = pressure.first_normal + -first_normal_mass * motion.at(first, normal);
            const float now = 0.0f < sum ? sum : 0.0f;
            motion.hit(body, first, normal, now - pressure.first_normal);
            pressure.first_normal = now;
        }
    }

private:
    __device__ __forceinline__ void rub(int body, Motion& motion, Vec2 arm, float mass, float along, float& across) const {
        const Vec2 tangent = clockwise(normal);
        const float most = friction * along;
        const float now = clamp(across + mass * -motion.at(arm, tangent), -most, most);
        motion.hit(body, arm, tangent, now - across);
        across = now;
    }

    // Two points together: the first of four cases in which no impulse and no velocity is negative.
    __device__ __forceinline__ Vec2 block(Vec2 old, Vec2 velocity) const {
        const Vec2 b = {velocity.x - (k_11 * old.x + k_12 * old.y), velocity.y - (k_12 * old.x + k_22 * old.y)};
        const auto fits = [](float x, float y) { return !(x < 0.0f) && !(y < 0.0f); };
        const Vec2 both = {-(inverse_11 * b.x + inverse_12 * b.y), -(inverse_12 * b.x + inverse_22 * b.y)};
        if (fits(both.x, both.y)) return both;
        const float x = -first_normal_mass * b.x;
        if (fits(x, k_12 * x + b.y)) return {x, 0.0f};
        const float y = -second_normal_mass * b.y;
        if (fits(y, k_12 * y + b.x)) return {0.0f, y};
        return fits(b.x, b.y) ? Vec2{0.0f, 0.0f} : old;
    }
};

// A contact as the solver has it.
struct Touch {
    ContactRows rows;
    Pressure pressure;
    int contact;  // its place in the list
};

// What the solver works on.
struct Solver {
    Motion motion[BODIES];
    JointRows joints[2];
    Impulses impulses[2];
    // Of leg 1, then of the lander, then of leg 0, each body's up to `ends`.
    Touch touches[MOST];
    int ends[3];

    // All passes. FAST: until little changes.
    template <bool FAST>
    __device__ __noinline__ void run() {
        Motion lander = motion[0], first = motion[1], second = motion[2];
        const JointRows first_rows = joints[0], second_rows = joints[1];
        Impulses first_impulses = impulses[0], second_impulses = impulses[1];
        const int count = ends[2];
#pragma unroll 1
        for (int pass = 0; pass < PASSES; ++pass) {
            const Motion before[BODIES] = {lander, first, second};
            const Impulses impulses_before[2] = {first_impulses, second_impulses};
            second_rows.pass(1, second_impulses, lander, second);
            first_rows.pass(0, first_impulses, lander, first);
            if (count > 0) {
                int i = 0;
                for (; i < ends[0]; ++i) touches[i].rows.pass(2, touches[i].pressure, second);
                for (; i < ends[1]; ++i) touches[i].rows.pass(0, touches[i].pressure, lander);
                for (; i < count; ++i) touches[i].rows.pass(1, touches[i].pressure, first);
            }
            if (FAST) {
                float largest = change(before[0], lander, 0.0f);
                largest = change(before[2], second, change(before[1], first, largest));
                if (!(1e-6f < largest)) {
                    const float left = (float)(PASSES - 1 - pass);
                    drift(left, impulses_before[0], first_impulses);
                    drift(left, impulses_before[1], second_impulses);
                    break;
                }
            }
        }
        motion[0] = lander;
        motion[1] = first;
        motion[2] = second;
        impulses[0] = first_impulses;
        impulses[1] = second_impulses;
    }

private:
    // The largest change of a velocity, at least `largest`.
    static __device__ __forceinline__ float change(const Motion& was, const Motion& now, float largest) {
        const float changes[3] = {now.x - was.x, now.y - was.y, now.spin - was.spin};
#pragma unroll
        for (int i = 0; i < 3; ++i) {
            const float size = fabsf(changes[i]);
            largest = largest < size ? size : largest;
        }
        return largest;
    }

    // What the last pass changed goes on until the motor has come to its end.
    static __device__ __forceinline__ void drift(float left, const Impulses& was, Impulses& now) {
        const float change = now.motor - was.motor;
        const float end = clamp(now.motor + left * change, -MOTOR_LIMIT, MOTOR_LIMIT);
        const float steps = (end - now.motor) / (change != 0.0f ? change : 1.0f);
        now.x = now.x + steps * (now.x - was.x);
        now.y = now.y + steps * (now.y - was.y);
        now.limit = now.limit + steps * (now.limit - was.limit);
        now.motor = end;
    }
};

// All passes over the contacts of one body that moves alone. Impulses begin at 0 and are not kept.
static __device__ __noinline__ void solve_alone(int body, const ContactRows (&rows)[SLOTS], int count, Motion& motion) {
    struct State {
        Motion motion;
        Pressure pressures[SLOTS];
    };
    const auto same = [count](const State& a, const State& b) {
        bool same = a.motion.x == b.motion.x && a.motion.y == b.motion.y && a.motion.spin == b.motion.spin;
        for (int i = 0; i < count; ++i) {
            const Pressure &p = a.pressures[i], &q = b.pressures[i];
            same &= p.first_normal == q.first_normal && p.first_tangent == q.first_tangent &&
                    p.second_normal == q.second_normal && p.second_tangent == q.second_tangent;
        }
        return same;
    };
    State state = {motion, {}};
    // The passes soon go round in a circle of a few last bits; a state seen before says where they end (Brent 1980).
    State seen = state;
    int seen_at = 0, end = PASSES;
    for (int pass = 0; pass < end;) {
        for (int i = 0; i < count; ++i) rows[i].pass(body, state.pressures[i], state.motion);
        ++pass;
        if (end == PASSES && same(state, seen)) {
            end = pass + (PASSES - pass) % (pass - seen_at);
        } else if ((pass & (pass - 1)) == 0) {
            seen = state;
            seen_at = pass;
        }
    }
    motion = state.motion;
}

}  // namespace lunar_lander
