// Which pairs of a body and an edge are watched, and whether they touch, twin of src/world/lunar_lander/contacts.rs.
#pragma once
#include "collide.cuh"
#include "terrain.cuh"
#include "velocity.cuh"

namespace lunar_lander {

struct Contact {
    int body, edge;
    Manifold manifold;

    __device__ __forceinline__ bool touches(int of) const { return body == of && manifold.count > 0; }
};

struct Contacts {
    // The newest first.
    Contact list[MOST];
    int count;
    bool legs[2], crashed;

    __device__ __forceinline__ void start() {
        count = 0;
        legs[0] = legs[1] = crashed = false;
    }

    // At the beginning of a step: drop pairs that are far apart, and see where the others touch.
    __device__ __forceinline__ void collide(const Body (&bodies)[BODIES], const Terrain& terrain) {
        for (int i = 0; i < count;) {
            const int body = list[i].body;
            if (bodies[body].wide.meets(terrain.wide(list[i].edge))) {
                update(i, bodies[body].pose(body), terrain);
                ++i;
            } else {
                if (list[i].manifold.count > 0) ended(body);
                --count;
                for (int k = i; k < count; ++k) list[k] = list[k + 1];
            }
        }
    }

    // See where a pair touches with the body here. Points that are known again keep their impulses.
    __device__ __noinline__ void update(int index, const Pose& pose, const Terrain& terrain) {
        Contact& contact = list[index];
        const int body = contact.body;
        Manifold now;
        now.find(body, pose, terrain.edge(contact.edge));
        const Manifold& old = contact.manifold;
        for (int i = 0; i < now.count; ++i)
            for (int k = 0; k < old.count; ++k)
                if (old.points[k].identity == now.points[i].identity) {
                    now.points[i].normal_impulse = old.points[k].normal_impulse;
                    now.points[i].tangent_impulse = old.points[k].tangent_impulse;
                    break;
                }
        const bool touched = old.count > 0, touches = now.count > 0;
        contact.manifold = now;
        if (!touched && touches) {
            if (body == LANDER)
                crashed = true;
            else
                legs[body - 1] = true;
        }
        if (touched && !touches) ended(body);
    }

    // Watch the pairs of these bodies, whose wide boxes are new. Bodies of new pairs wake up.
    __device__ __forceinline__ void pair(const Body (&bodies)[BODIES], const bool (&is_new)[BODIES], const Terrain& terrain,
                                         bool (&awake)[BODIES]) {
        bool is_near = false;
#pragma unroll
        for (int body = 0; body < BODIES; ++body) is_near |= is_new[body] && !terrain.is_below(bodies[body].wide);
        if (is_near) pair_near(bodies, is_new, terrain, awake);
    }

private:
    // A leg's flag goes out when any of its edges ceases to touch it.
    __device__ __forceinline__ void ended(int body) {
        if (body != LANDER) legs[body - 1] = false;
    }

    __device__ __noinline__ void pair_near(const Body (&bodies)[BODIES], const bool (&is_new)[BODIES],
                                           const Terrain& terrain, bool (&awake)[BODIES]) {
        for (int edge = 0; edge < EDGES; ++edge) {
            const Bounds wide = terrain.wide(edge);
            for (int body = 0; body < BODIES; ++body) {
                if (!is_new[body] || count >= MOST || !bodies[body].wide.meets(wide)) continue;
                bool is_known = false;
                for (int i = 0; i < count; ++i) is_known |= list[i].body == body && list[i].edge == edge;
                if (is_known) continue;
                for (int k = count; k > 0; --k) list[k] = list[k - 1];
                list[0] = {body, edge, {}};
                ++count;
                awake[body] = true;
            }
        }
    }
};

}  // namespace lunar_lander
