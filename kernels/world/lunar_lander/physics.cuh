// A step of the world's physics, twin of src/world/lunar_lander/physics.rs and stop.rs. What a craft in flight does not need
// stands in functions of its own.
#pragma once
#include "constraint.cuh"
#include "contacts.cuh"
#include "impact.cuh"
#include "joint.cuh"

namespace lunar_lander {

struct Physics {
    Body bodies[BODIES];
    Joint joints[2];
    Terrain terrain;
    Contacts contacts;
    bool awake[BODIES];
    Vec2 force;
    float torque;

    // At the top, the legs folded in; the terrain is drawn already.
    __device__ __forceinline__ void start() {
        constexpr float MIDDLE = (float)(WIDTH / 2.0), TOP = (float)HEIGHT;
        constexpr float RIGHT = (float)(WIDTH / 2.0 + 20.0 / 30.0), LEFT = (float)(WIDTH / 2.0 - 20.0 / 30.0);
        bodies[0].start(0, {MIDDLE, TOP}, 0.0f);
        bodies[1].start(1, {RIGHT, TOP}, -0.05f);
        bodies[2].start(2, {LEFT, TOP}, 0.05f);
        joints[0].start();
        joints[1].start();
        contacts.start();
        for (int i = 0; i < BODIES; ++i) awake[i] = true;
        force = {0.0f, 0.0f};
        torque = 0.0f;
    }

    // What touches is seen, forces act, and the velocity solver is told of joints and contacts.
    __device__ __noinline__ void begin(Solver& solver) {
        if (contacts.count > 0) contacts.collide(bodies, terrain);
#pragma unroll
        for (int i = 0; i < BODIES; ++i) {
            Body& body = bodies[i];
            const Vec2 pull = i == LANDER ? force : Vec2{0.0f, 0.0f};
            body.velocity = body.velocity + STEP * (Vec2{0.0f, -10.0f} + inverse_mass(i) * pull);
            body.spin += STEP * inverse_inertia(i) * (i == LANDER ? torque : 0.0f);
            awake[i] = true;
        }
        force = {0.0f, 0.0f};
        torque = 0.0f;
        solver.ends[0] = solver.ends[1] = solver.ends[2] = 0;
        if (contacts.count > 0) begin_contacts(solver);
#pragma unroll
        for (int i = 1; i >= 0; --i) {
            joints[i].begin(i, bodies[LANDER], bodies[i + 1], solver.joints[i]);
            solver.impulses[i] = joints[i].impulses;
        }
#pragma unroll
        for (int i = 0; i < BODIES; ++i) solver.motion[i] = {bodies[i].velocity.x, bodies[i].velocity.y, bodies[i].spin};
    }

    // Bodies move as the velocity solver says, positions are corrected, bodies at rest fall asleep, new pairs are found and
    // what has flown into the ground is stopped in time.
    __device__ __noinline__ void end(const Solver& solver) {
        for (int i = 0; i < solver.ends[2]; ++i) {
            const Touch& touch = solver.touches[i];
            keep(contacts.list[touch.contact].manifold, touch.pressure, touch.rows.is_double);
        }
        Vec2 starts[BODIES];
        Bounds bounds[BODIES];
        Sweep sweeps[BODIES];
#pragma unroll
        for (int i = 0; i < BODIES; ++i) {
            Body& body = bodies[i];
            starts[i] = body.pose(i).origin;
            bounds[i] = body.bounds;
            sweeps[i].start(body);
            body.velocity = {solver.motion[i].x, solver.motion[i].y};
            body.spin = solver.motion[i].spin;
            body.go(STEP);
        }
        joints[0].impulses = solver.impulses[0];
        joints[1].impulses = solver.impulses[1];
        constexpr int POSITION_PASSES = 60;
        bool is_settled = false;
#pragma unroll 1
        for (int i = 0; i < POSITION_PASSES && !is_settled; ++i) {
            is_settled = contacts.count == 0 || correct_contacts() >= InStep::DEPTH;
            is_settled &= joints[1].correct(1, bodies[LANDER], bodies[2]);
            is_settled &= joints[0].correct(0, bodies[LANDER], bodies[1]);
        }
        rest(is_settled);

        bool is_new[BODIES];
#pragma unroll
        for (int i = 0; i < BODIES; ++i) {
            Body& body = bodies[i];
            const Pose end = body.pose(i);
            body.bounds = bounds_of(i, end);
            const Bounds swept = sweeps[i].finish(bounds[i], body);
            is_new[i] = body.widen(swept, end.origin - starts[i]);
        }
        contacts.pair(bodies, is_new, terrain, awake);
        bool may_come = false;
        for (int i = 0; i < contacts.count; ++i) {
            const int body = contacts.list[i].body;
            may_come |= awake[body] && !sweeps[body].misses(terrain.edge(contacts.list[i].edge));
        }
        if (may_come) stop_one_by_one(sweeps);
    }

private:
    __device__ __noinline__ void begin_contacts(Solver& solver) {
        int touching = 0;
        for (int group = 0; group < BODIES; ++group) {
            // Legs and lander in the order in which they are solved.
            const int body = group == 0 ? 2 : group - 1, first = touching;
            for (int i = 0; i < contacts.count; ++i) {
                if (!contacts.list[i].touches(body) || touching - first == SLOTS) continue;
                const Contact& contact = contacts.list[i];
                Touch& touch = solver.touches[touching++];
                lunar_lander::begin(contact.manifold, body, contact.edge, bodies[body], touch.rows);
                warm_start(contact.manifold, body, touch.rows, bodies[body], touch.pressure);
                touch.contact = i;
            }
            solver.ends[group] = touching;
        }
    }

    // A pass of the position solver over the contacts. The smallest separation that it met, at most 0.
    __device__ __noinline__ float correct_contacts() {
        float smallest = 0.0f;
        for (int body = 0; body < BODIES; ++body)
            for (int i = 0; i < contacts.count; ++i)
                if (contacts.list[i].touches(body))
                    smallest = least(smallest, correct<InStep>(contacts.list[i].manifold, body, bodies[body]));
        return smallest;
    }

    // All bodies fall asleep together, after half a second without motion.
    __device__ __forceinline__ void rest(bool is_settled) {
        constexpr float PATIENCE = 0.5f;
        bool is_quiet = is_settled;
#pragma unroll
        for (int i = 0; i < BODIES; ++i) {
            bodies[i].quiet = bodies[i].is_slow() ? bodies[i].quiet + STEP : 0.0f;
            is_quiet &= bodies[i].quiet >= PATIENCE;
        }
        if (!is_quiet) return;
#pragma unroll
        for (int i = 0; i < BODIES; ++i) {
            awake[i] = false;
            bodies[i].velocity = {0.0f, 0.0f};
            bodies[i].spin = 0.0f;
            bodies[i].quiet = 0.0f;
        }
    }

    // What is known of a contact within one step.
    struct Course {
        float impact;  // the part of the step at which the body comes to the edge, 1 if it does not; less than 0: not known
        int stops;
        bool is_off;  // it was found not to touch after all
    };

    __device__ __noinline__ void stop_one_by_one(Sweep (&sweeps)[BODIES]) {
        const Course fresh = {-1.0f, 0, false};
        Course courses[MOST];
        for (int i = 0; i < MOST; ++i) courses[i] = fresh;
        float ground = 0.0f, impact;
        for (;;) {
            const int first = first_impact(courses, sweeps, ground, impact);
            if (first < 0) return;
            const int index = contacts.list[first].body;
            Body& body = bodies[index];
            Sweep& sweep = sweeps[index];
            const Sweep before = sweep;
            const float ground_before = ground;
            const Body body_before = body;
            ground = impact;
            sweep.advance(impact);
            sweep.stop(body);
            contacts.update(first, body.pose(index), terrain);
            courses[first].impact = -1.0f;
            courses[first].is_off = contacts.list[first].manifold.count == 0;
            ++courses[first].stops;
            if (courses[first].is_off) {
                sweep = before;
                ground = ground_before;
                body = body_before;
                continue;
            }
            // This contact first, then the body's others.
            int touching[SLOTS], count = 1;
            touching[0] = first;
            const int known = contacts.count;
            for (int i = 0; i < known; ++i) {
                if (i == first || contacts.list[i].body != index) continue;
                contacts.update(i, body.pose(index), terrain);
                courses[i].is_off = false;
                if (contacts.list[i].manifold.count > 0 && count < SLOTS) touching[count++] = i;
            }
            const bool is_wide = go_on_alone(index, touching, count, sweep);
            for (int i = 0; i < known; ++i)
                if (contacts.list[i].body == index) courses[i].impact = -1.0f;
            const bool is_new[BODIES] = {is_wide && index == 0, is_wide && index == 1, is_wide && index == 2};
            contacts.pair(bodies, is_new, terrain, awake);
            const int added = contacts.count - known;
            if (added > 0) {
                for (int i = known - 1; i >= 0; --i) courses[i + added] = courses[i];
                for (int i = 0; i < added; ++i) courses[i] = fresh;
            }
        }
    }

    // The first contact to come, and when in the step; -1 if none does.
    __device__ __forceinline__ int first_impact(Course (&courses)[MOST], Sweep (&sweeps)[BODIES], float& ground,
                                                float& earliest) const {
        constexpr int MOST_STOPS = 8;
        int first = -1;
        earliest = 1.0f;
        for (int i = 0; i < contacts.count; ++i) {
            Course& course = courses[i];
            const int body = contacts.list[i].body;
            if (course.is_off || course.stops > MOST_STOPS || !awake[body]) continue;
            if (course.impact < 0.0f) {
                Sweep& sweep = sweeps[body];
                if (sweep.from < ground)
                    sweep.advance(ground);
                else
                    ground = sweep.from;
                course.impact = sweep.impact(body, terrain.edge(contacts.list[i].edge));
            }
            if (course.impact < earliest) {
                first = i;
                earliest = course.impact;
            }
        }
        return earliest <= 1.0f - 10.0f * FLOAT_EPSILON ? first : -1;
    }

    // The body is put right where it was stopped, meets what touches it there, and moves on for what is left of the step.
    // Whether its wide box is a new one.
    __device__ __forceinline__ bool go_on_alone(int index, const int (&touching)[SLOTS], int count, Sweep& sweep) {
        constexpr int POSITION_PASSES = 20;
        Body& body = bodies[index];
        for (int pass = 0; pass < POSITION_PASSES; ++pass) {
            float smallest = 0.0f;
            for (int i = 0; i < count; ++i)
                smallest = least(smallest, correct<AtStop>(contacts.list[touching[i]].manifold, index, body));
            if (smallest >= AtStop::DEPTH) break;
        }
        const Pose start = body.pose(index);
        sweep.begin(body);
        ContactRows rows[SLOTS];
        for (int i = 0; i < count; ++i) {
            const Contact& contact = contacts.list[touching[i]];
            lunar_lander::begin(contact.manifold, index, contact.edge, body, rows[i]);
        }
        Motion motion = {body.velocity.x, body.velocity.y, body.spin};
        solve_alone(index, rows, count, motion);
        body.velocity = {motion.x, motion.y};
        body.spin = motion.spin;
        body.go((1.0f - sweep.from) * STEP);
        const Pose end = body.pose(index);
        body.bounds = bounds_of(index, end);
        const Bounds swept = sweep.finish(bounds_of(index, start), body);
        return body.widen(swept, end.origin - start.origin);
    }
};

}  // namespace lunar_lander
