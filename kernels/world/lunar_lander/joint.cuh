// The legs' joints, twin of src/world/lunar_lander/joint.rs.
#pragma once
#include "velocity.cuh"

namespace lunar_lander {

enum class Limit { FREE, LOWER, UPPER };

struct Joint {
    Impulses impulses;
    Limit limit;

    __device__ __forceinline__ void start() {
        impulses = {0.0f, 0.0f, 0.0f, 0.0f};
        limit = Limit::FREE;
    }

    // Get ready for the velocity solver, and let the bodies feel the last step's impulses. `of`: 0 or 1.
    __device__ __forceinline__ void begin(int of, Body& lander, Body& leg, JointRows& rows) {
        constexpr float MASS_A = inverse_mass(0), MASS_B = inverse_mass(1);
        constexpr float INERTIA_A = inverse_inertia(0), INERTIA_B = inverse_inertia(1);
        const Vec2 arm_a = lander_arm(lander), arm_b = leg_arm(of, leg);
        const float k_xx = MASS_A + MASS_B + arm_a.y * arm_a.y * INERTIA_A + arm_b.y * arm_b.y * INERTIA_B;
        const float k_xy = -arm_a.y * arm_a.x * INERTIA_A - arm_b.y * arm_b.x * INERTIA_B;
        const float k_xz = -arm_a.y * INERTIA_A - arm_b.y * INERTIA_B;
        const float k_yy = MASS_A + MASS_B + arm_a.x * arm_a.x * INERTIA_A + arm_b.x * arm_b.x * INERTIA_B;
        const float k_yz = arm_a.x * INERTIA_A + arm_b.x * INERTIA_B;
        constexpr float K_ZZ = INERTIA_A + INERTIA_B;
        const float cross_x = k_yy * K_ZZ - k_yz * k_yz;
        const float cross_y = k_yz * k_xz - k_xy * K_ZZ;
        const float cross_z = k_xy * k_yz - k_yy * k_xz;

        const float off = angle(of, lander, leg);
        const Limit now = off <= lowest(of) ? Limit::LOWER : off >= highest(of) ? Limit::UPPER : Limit::FREE;
        const bool is_free = now == Limit::FREE;
        if (now != limit || is_free) impulses.limit = 0.0f;
        limit = now;

        const Vec2 push = {impulses.x, impulses.y};
        lander.velocity = lander.velocity - MASS_A * push;
        lander.spin -= INERTIA_A * (cross(arm_a, push) + impulses.motor + impulses.limit);
        leg.velocity = leg.velocity + MASS_B * push;
        leg.spin += INERTIA_B * (cross(arm_b, push) + impulses.motor + impulses.limit);

        rows.lander_x = arm_a.x;
        rows.lander_y = arm_a.y;
        rows.leg_x = arm_b.x;
        rows.leg_y = arm_b.y;
        rows.k_xx = k_xx;
        rows.k_xy = k_xy;
        rows.k_xz = k_xz;
        rows.k_yy = k_yy;
        rows.k_yz = k_yz;
        rows.cross_x = cross_x;
        rows.cross_y = cross_y;
        rows.cross_z = cross_z;
        rows.inverse_3 = -inverse(k_xx * cross_x + k_xy * cross_y + k_xz * cross_z);
        rows.inverse_2 = inverse(k_xx * k_yy - k_xy * k_xy);
        rows.limit_x = is_free ? -0.0f : k_xz;
        rows.limit_y = is_free ? -0.0f : k_yz;
        rows.sign = now == Limit::UPPER ? -1.0f : 1.0f;
        rows.least = is_free ? __uint_as_float(0x7f800000u) : 0.0f;
    }

    // A pass of the position solver. Whether all was as it should be.
    __device__ __forceinline__ bool correct(int of, Body& lander, Body& leg) const {
        constexpr float MOST_CORRECTION = 8.0f / 180.0f * PI;
        constexpr float MASS_A = inverse_mass(0), MASS_B = inverse_mass(1);
        constexpr float INERTIA_A = inverse_inertia(0), INERTIA_B = inverse_inertia(1);
        float error = 0.0f;
        if (limit != Limit::FREE) {
            const bool is_lower = limit == Limit::LOWER;
            const float off = angle(of, lander, leg) - (is_lower ? lowest(of) : highest(of));
            error = is_lower ? -off : off;
            const float correction = is_lower ? clamp(off + ANGULAR_SLOP, -MOST_CORRECTION, 0.0f)
                                              : clamp(off - ANGULAR_SLOP, 0.0f, MOST_CORRECTION);
            const float impulse = -(1.0f / (INERTIA_A + INERTIA_B)) * correction;
            lander.set_angle(lander.angle - INERTIA_A * impulse);
            leg.set_angle(leg.angle + INERTIA_B * impulse);
        }

        const Vec2 arm_a = lander_arm(lander), arm_b = leg_arm(of, leg);
        const Vec2 gap = leg.centre + arm_b - lander.centre - arm_a;
        const float k_xx = MASS_A + MASS_B + INERTIA_A * arm_a.y * arm_a.y + INERTIA_B * arm_b.y * arm_b.y;
        const float k_xy = -INERTIA_A * arm_a.x * arm_a.y - INERTIA_B * arm_b.x * arm_b.y;
        const float k_yy = MASS_A + MASS_B + INERTIA_A * arm_a.x * arm_a.x + INERTIA_B * arm_b.x * arm_b.x;
        const float inverted = inverse(k_xx * k_yy - k_xy * k_xy);
        const Vec2 impulse = -Vec2{inverted * (k_yy * gap.x - k_xy * gap.y), inverted * (k_xx * gap.y - k_xy * gap.x)};

        lander.centre = lander.centre - MASS_A * impulse;
        lander.set_angle(lander.angle - INERTIA_A * cross(arm_a, impulse));
        leg.centre = leg.centre + MASS_B * impulse;
        leg.set_angle(leg.angle + INERTIA_B * cross(arm_b, impulse));
        return length(gap) <= SLOP && error <= ANGULAR_SLOP;
    }

private:
    static __device__ __forceinline__ float lowest(int of) { return of == 0 ? 0.4f : -0.9f; }
    static __device__ __forceinline__ float highest(int of) { return of == 0 ? 0.9f : -0.4f; }
    static __device__ __forceinline__ float inverse(float determinant) {
        return determinant == 0.0f ? 0.0f : 1.0f / determinant;
    }

    static __device__ __forceinline__ float angle(int of, const Body& lander, const Body& leg) {
        return leg.angle - lander.angle - (of == 0 ? -0.05f : 0.05f);
    }

    // From the centre of mass to the pin.
    static __device__ __forceinline__ Vec2 lander_arm(const Body& lander) {
        return lander.turn.of(Vec2{0.0f, 0.0f} - centre_of(LANDER));
    }
    static __device__ __forceinline__ Vec2 leg_arm(int of, const Body& leg) {
        return leg.turn.of(Vec2{of == 0 ? -0.6666667f : 0.6666667f, 0.6f} - centre_of(1));
    }
};

}  // namespace lunar_lander
