// What the solvers need to know of a contact, and the correction of positions, twin of src/world/lunar_lander/constraint.rs.
#pragma once
#include "collide.cuh"
#include "velocity.cuh"

namespace lunar_lander {

// How the correction of positions goes in a step, and where a body has been stopped short of the ground: how much of an
// error is taken back in a pass, and how deep a point may stay.
struct InStep {
    static constexpr float PART = 0.2f, DEPTH = -3.0f * SLOP;
};
struct AtStop {
    static constexpr float PART = 0.75f, DEPTH = -1.5f * SLOP;
};

// For the velocity solver, with the body here.
__device__ __forceinline__ void begin(const Manifold& manifold, int index, int edge, const Body& body, ContactRows& rows) {
    const Pose pose = body.pose(index);
    const float mass = inverse_mass(index), inertia = inverse_inertia(index);
    const auto inverse = [](float k) { return k > 0.0f ? 1.0f / k : 0.0f; };
    Vec2 arms[2] = {};
    float across[2] = {}, normal_masses[2] = {}, tangent_masses[2] = {};
    rows.normal = {0.0f, 0.0f};
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        if (i >= manifold.count) break;
        const Place place(manifold, i, pose);
        rows.normal = place.normal;
        arms[i] = place.middle - body.centre;
        across[i] = cross(arms[i], place.normal);
        const float slide = cross(arms[i], clockwise(place.normal));
        normal_masses[i] = inverse(mass + inertia * across[i] * across[i]);
        tangent_masses[i] = inverse(mass + inertia * slide * slide);
    }
    const float k_11 = mass + inertia * across[0] * across[0], k_22 = mass + inertia * across[1] * across[1];
    const float k_12 = mass + inertia * across[0] * across[1], determinant = k_11 * k_22 - k_12 * k_12;
    // Two points too close together are solved as one.
    rows.is_double = manifold.count == 2 && k_11 * k_11 < 1000.0f * determinant;
    const float inverted = rows.is_double ? 1.0f / determinant : 0.0f;
    rows.friction = form_of(index).friction[edge == 0];
    rows.first = arms[0];
    rows.first_normal_mass = normal_masses[0];
    rows.first_tangent_mass = tangent_masses[0];
    rows.second = arms[1];
    rows.second_normal_mass = normal_masses[1];
    rows.second_tangent_mass = tangent_masses[1];
    rows.k_11 = k_11;
    rows.k_12 = k_12;
    rows.k_22 = k_22;
    rows.inverse_11 = inverted * k_22;
    rows.inverse_12 = -inverted * k_12;
    rows.inverse_22 = inverted * k_11;
}

// Let the body feel the last step's impulses, and give them to the velocity solver.
__device__ __forceinline__ void warm_start(const Manifold& manifold, int index, const ContactRows& rows, Body& body,
                                           Pressure& pressure) {
    const Vec2 tangent = clockwise(rows.normal);
    const auto push = [&](Vec2 arm, float along, float across) {
        const Vec2 impulse = along * rows.normal + across * tangent;
        body.spin += inverse_inertia(index) * cross(arm, impulse);
        body.velocity = body.velocity + inverse_mass(index) * impulse;
    };
    const Point &first = manifold.points[0], &second = manifold.points[1];
    push(rows.first, first.normal_impulse, first.tangent_impulse);
    if (rows.is_double) push(rows.second, second.normal_impulse, second.tangent_impulse);
    pressure = {first.normal_impulse, first.tangent_impulse, second.normal_impulse, second.tangent_impulse};
}

// Keep the impulses of the points that were solved for the next step.
__device__ __forceinline__ void keep(Manifold& manifold, const Pressure& pressure, bool is_double) {
    manifold.points[0].normal_impulse = pressure.first_normal;
    manifold.points[0].tangent_impulse = pressure.first_tangent;
    if (is_double) {
        manifold.points[1].normal_impulse = pressure.second_normal;
        manifold.points[1].tangent_impulse = pressure.second_tangent;
    }
}

// A pass of the position solver over the points. The smallest separation that it met, at most 0.
template <class When>
__device__ __forceinline__ float correct(const Manifold& manifold, int index, Body& body) {
    constexpr float MOST_ERROR = 0.2f;
    float smallest = 0.0f;
    for (int i = 0; i < manifold.count; ++i) {
        const Place place(manifold, i, body.pose(index));
        const Vec2 arm = place.at - body.centre;
        smallest = least(smallest, place.separation);
        const float error = clamp(When::PART * (place.separation + SLOP), -MOST_ERROR, 0.0f);
        const float across = cross(arm, place.normal);
        const float k = inverse_mass(index) + inverse_inertia(index) * across * across;
        const float impulse = k > 0.0f ? -error / k : 0.0f;
        body.shift(index, impulse * place.normal, arm);
    }
    return smallest;
}

}  // namespace lunar_lander
