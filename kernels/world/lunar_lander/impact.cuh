// When a body that moves through a step first comes to an edge, twin of src/world/lunar_lander/impact.rs.
#pragma once
#include "bodies.cuh"

namespace lunar_lander {

constexpr float TARGET = 2.0f * SKIN - 3.0f * SLOP, TOLERANCE = 0.25f * SLOP;

// A point of the edge and one of the body, by their indices.
struct Witness {
    int a, b;
};

// The first of the corners that lie farthest in a direction.
__device__ __forceinline__ int support(const Vec2* corners, int count, Vec2 direction) {
    int best = 0;
    float most = dot(corners[0], direction);
    for (int i = 1; i < count; ++i) {
        const float value = dot(corners[i], direction);
        if (value > most) {
            best = i;
            most = value;
        }
    }
    return best;
}

__device__ __forceinline__ int support(const Edge& edge, Vec2 direction) {
    return dot(edge.ends[1], direction) > dot(edge.ends[0], direction);
}

__device__ __forceinline__ int support(const Form& form, Vec2 direction) {
    return support(form.vertices, form.corners, direction);
}

// The features that were closest, from one call for the next.
struct Cache {
    int count;
    float metric;
    Witness pairs[3];
};

// A corner of the simplex: a point of the edge, one of the body, the difference and its weight.
struct Vertex {
    Witness pair;
    Vec2 a, b, difference;
    float weight;
};

// Up to three differences, whose hull comes ever nearer to the origin.
struct Simplex {
    Vertex vertices[3];
    int count;

    // Length or area.
    __device__ __forceinline__ float metric() const {
        const Vec2 a = vertices[0].difference, b = vertices[1].difference, c = vertices[2].difference;
        return count == 2 ? length(a - b) : count == 3 ? cross(b - a, c - a) : 0.0f;
    }

    // Leave only what the point nearest to the origin lies on, and weigh it.
    __device__ __forceinline__ void reduce() {
        if (count == 2)
            reduce_line();
        else if (count == 3)
            reduce_triangle();
        else
            vertices[0].weight = 1.0f;
    }

    __device__ __forceinline__ Vec2 search_direction() const {
        const Vec2 w1 = vertices[0].difference;
        if (count == 1) return -w1;
        const Vec2 along = vertices[1].difference - w1;
        return cross(along, -w1) > 0.0f ? counter_clockwise(along) : clockwise(along);
    }

    // Of the weighted points.
    __device__ __forceinline__ float distance() const {
        const Vertex &v1 = vertices[0], &v2 = vertices[1];
        if (count == 1) return length(v1.a - v1.b);
        if (count != 2) return 0.0f;
        return length((v1.weight * v1.a + v2.weight * v2.a) - (v1.weight * v1.b + v2.weight * v2.b));
    }

private:
    __device__ __forceinline__ void keep_one(int vertex) {
        vertices[0] = vertices[vertex];
        vertices[0].weight = 1.0f;
        count = 1;
    }

    // With weights that are still to be divided by their sum.
    __device__ __forceinline__ void keep_two(int first, float first_weight, int second, float second_weight) {
        const float inverse = 1.0f / (first_weight + second_weight);
        const Vertex a = vertices[first], b = vertices[second];
        vertices[0] = a;
        vertices[0].weight = first_weight * inverse;
        vertices[1] = b;
        vertices[1].weight = second_weight * inverse;
        count = 2;
    }

    __device__ __forceinline__ void reduce_line() {
        const Vec2 w1 = vertices[0].difference, w2 = vertices[1].difference, along = w2 - w1;
        const float second = -dot(w1, along), first = dot(w2, along);
        if (second <= 0.0f)
            keep_one(0);
        else if (first <= 0.0f)
            keep_one(1);
        else
            keep_two(0, first, 1, second);
    }

    __device__ __forceinline__ void reduce_triangle() {
        const Vec2 w1 = vertices[0].difference, w2 = vertices[1].difference, w3 = vertices[2].difference;
        // Weights on each side, of its first and its second corner.
        const float first_12 = dot(w2, w2 - w1), second_12 = -dot(w1, w2 - w1);
        const float first_13 = dot(w3, w3 - w1), second_13 = -dot(w1, w3 - w1);
        const float first_23 = dot(w3, w3 - w2), second_23 = -dot(w2, w3 - w2);
        const float area = cross(w2 - w1, w3 - w1);
        const float of_1 = area * cross(w2, w3), of_2 = area * cross(w3, w1), of_3 = area * cross(w1, w2);
        if (second_12 <= 0.0f && second_13 <= 0.0f) {
            keep_one(0);
        } else if (first_12 > 0.0f && second_12 > 0.0f && of_3 <= 0.0f) {
            keep_two(0, first_12, 1, second_12);
        } else if (first_13 > 0.0f && second_13 > 0.0f && of_2 <= 0.0f) {
            keep_two(0, first_13, 2, second_13);
        } else if (first_12 <= 0.0f && second_23 <= 0.0f) {
            keep_one(1);
        } else if (first_13 <= 0.0f && first_23 <= 0.0f) {
            keep_one(2);
        } else if (first_23 > 0.0f && second_23 > 0.0f && of_1 <= 0.0f) {
            // The third corner takes the first place.
            keep_two(2, second_23, 1, first_23);
        } else {
            const float inverse = 1.0f / (of_1 + of_2 + of_3);
            vertices[0].weight = of_1 * inverse;
            vertices[1].weight = of_2 * inverse;
            vertices[2].weight = of_3 * inverse;
        }
    }
};

// Between the bare shapes, by GJK.
static __device__ __noinline__ float distance(const Form& form, const Pose& pose, const Edge& edge, Cache& cache) {
    constexpr int ROUNDS = 20;
    const auto vertex = [&](Witness pair) {
        const Vec2 a = edge.ends[pair.a], b = pose.of(form.vertices[pair.b]);
        return Vertex{pair, a, b, b - a, 0.0f};
    };
    Simplex simplex;
    for (int i = 0; i < 3; ++i) simplex.vertices[i] = vertex(cache.pairs[i]);
    simplex.count = cache.count;
    if (simplex.count > 1) {
        const float metric = simplex.metric();
        if (metric < 0.5f * cache.metric || 2.0f * cache.metric < metric || metric < FLOAT_EPSILON) simplex.count = 0;
    }
    if (simplex.count == 0) {
        simplex.vertices[0] = vertex({0, 0});
        simplex.count = 1;
    }
    for (int round = 0; round < ROUNDS; ++round) {
        const Witness seen[3] = {simplex.vertices[0].pair, simplex.vertices[1].pair, simplex.vertices[2].pair};
        const int seen_count = simplex.count;
        simplex.reduce();
        if (simplex.count == 3) break;
        const Vec2 direction = simplex.search_direction();
        if (dot(direction, direction) < FLOAT_EPSILON * FLOAT_EPSILON) break;
        const Witness pair = {support(edge, -direction), support(form, pose.turn.back(direction))};
        simplex.vertices[simplex.count] = vertex(pair);
        bool is_known = false;
        for (int i = 0; i < seen_count; ++i) is_known |= seen[i].a == pair.a && seen[i].b == pair.b;
        if (is_known) break;
        ++simplex.count;
    }
    cache.count = simplex.count;
    cache.metric = simplex.metric();
    for (int i = 0; i < 3; ++i) cache.pairs[i] = simplex.vertices[i].pair;
    return simplex.distance();
}

// In which direction separation is measured: from a corner of the edge to one of the body, fixed in the world; the edge's
// normal, through its middle; that of one of the body's sides, in its frame, through the side's middle.
struct Axis {
    enum Kind { CORNERS, EDGE, SIDE } kind;
    Vec2 normal, middle;

    // From the closest features, so that the separation there is positive.
    __device__ __forceinline__ Axis(const Form& form, const Pose& pose, const Edge& edge, const Cache& cache) {
        const Witness one = cache.pairs[0], other = cache.pairs[1];
        middle = {0.0f, 0.0f};
        if (cache.count == 1) {
            kind = CORNERS;
            normal = normalised(pose.of(form.vertices[one.b]) - edge.ends[one.a]);
            return;
        }
        kind = one.a == other.a ? SIDE : EDGE;
        const Vec2 from = kind == SIDE ? form.vertices[one.b] : edge.ends[one.a];
        const Vec2 to = kind == SIDE ? form.vertices[other.b] : edge.ends[other.a];
        normal = normalised(clockwise(to - from));
        middle = 0.5f * (from + to);
        const bool is_behind = separation(form, pose, edge, one) < 0.0f;
        normal = is_behind ? -normal : normal;
    }

    // The points that are deepest along it.
    __device__ __forceinline__ Witness deepest(const Form& form, const Pose& pose, const Edge& edge) const {
        switch (kind) {
            case CORNERS: return {support(edge, normal), support(form, pose.turn.back(-normal))};
            case EDGE: return {0, support(form, pose.turn.back(-normal))};
            default: return {support(edge, -pose.turn.of(normal)), 0};
        }
    }

    // Of two points along it.
    __device__ __forceinline__ float separation(const Form& form, const Pose& pose, const Edge& edge, Witness of) const {
        switch (kind) {
            case CORNERS: return dot(pose.of(form.vertices[of.b]) - edge.ends[of.a], normal);
            case EDGE: return dot(pose.of(form.vertices[of.b]) - middle, normal);
            default: return dot(edge.ends[of.a] - pose.of(middle), pose.turn.of(normal));
        }
    }
};

// How a body moves in a step: its centre of mass and angle, in straight lines from the first to the last.
struct Sweep {
    Vec2 centres[2];
    float angles[2], from;
    Bounds reach;

    __device__ __forceinline__ void start(const Body& body) {
        centres[0] = centres[1] = body.centre;
        angles[0] = angles[1] = body.angle;
        from = 0.0f;
        reach = body.wide;
    }

    // Begin here instead, at the same time.
    __device__ __forceinline__ void begin(const Body& body) {
        centres[0] = body.centre;
        angles[0] = body.angle;
    }

    // To here; `start` is the body's box where it began. The box of both ends.
    __device__ __forceinline__ Bounds finish(const Bounds& start, const Body& body) {
        centres[1] = body.centre;
        angles[1] = body.angle;
        const Bounds swept = start.with(body.bounds);
        const float turn = angles[1] - angles[0];
        reach = swept.grown(0.0075f + 0.1f * turn * turn);
        return swept;
    }

    // Whether the body is certain not to come to an edge.
    __device__ __forceinline__ bool misses(const Edge& edge) const { return !reach.meets(Bounds::of(edge, 0.0f)); }

    // Begin later.
    __device__ __forceinline__ void advance(float to) {
        const float part = (to - from) / (1.0f - from);
        centres[0] = (1.0f - part) * centres[0] + part * centres[1];
        angles[0] = (1.0f - part) * angles[0] + part * angles[1];
        from = to;
    }

    // End where it begins, and put the body there.
    __device__ __forceinline__ void stop(Body& body) {
        centres[1] = centres[0];
        angles[1] = angles[0];
        body.centre = centres[0];
        body.set_angle(angles[0]);
    }

    // The part of the whole step after which the body touches the edge; 1 if it does not.
    __device__ __noinline__ float impact(int body, const Edge& edge) const {
        if (misses(edge)) return 1.0f;
        // The same motion, beginning in the first turn.
        Sweep sweep = *this;
        constexpr float TURN = 2.0f * PI;
        const float turns = TURN * floorf(angles[0] / TURN);
        sweep.angles[0] = angles[0] - turns;
        sweep.angles[1] = angles[1] - turns;
        float time;
        return sweep.comes_to(body, edge, time) ? least(from + (1.0f - from) * time, 1.0f) : 1.0f;
    }

private:
    __device__ __forceinline__ Pose pose(int body, float part) const {
        const Vec2 centre = (1.0f - part) * centres[0] + part * centres[1];
        const float angle = (1.0f - part) * angles[0] + part * angles[1];
        return Pose::around(centre, centre_of(body), Turn::by(angle));
    }

    // Whether the body touches the edge, and after which part of the sweep.
    __device__ __forceinline__ bool comes_to(int body, const Edge& edge, float& time) const {
        constexpr int ROUNDS = 20, PUSHES = 16;
        const Form& form = form_of(body);
        Cache cache = {};
        time = 0.0f;
        for (int round = 0; round < ROUNDS; ++round) {
            const Pose early = pose(body, time);
            const float apart = distance(form, early, edge, cache);
            if (apart <= 0.0f) return false;
            if (apart < TARGET + TOLERANCE) return true;
            const Axis axis(form, early, edge, cache);
            float late = 1.0f;
            for (int push = 0; push < PUSHES; ++push) {
                const Pose later = pose(body, late);
                const Witness witness = axis.deepest(form, later, edge);
                const float late_separation = axis.separation(form, later, edge, witness);
                if (late_separation > TARGET + TOLERANCE) return false;
                if (late_separation > TARGET - TOLERANCE) {
                    time = late;
                    break;
                }
                const float early_separation = axis.separation(form, early, edge, witness);
                if (early_separation < TARGET - TOLERANCE) return false;
                if (early_separation <= TARGET + TOLERANCE) return true;
                late = root(body, axis, edge, witness, time, early_separation, late, late_separation);
            }
        }
        return false;
    }

    // Between a time at which the separation is above the target and one at which it is below, by bisection and the secant
    // in turn. The later time as it came if that finds nothing.
    __device__ __forceinline__ float root(int body, const Axis& axis, const Edge& edge, Witness witness, float above,
                                          float above_separation, float below, float below_separation) const {
        const float late = below;
        for (int i = 0; i < 50; ++i) {
            const float rise = below_separation - above_separation;
            const float time = i % 2 == 1 ? above + (TARGET - above_separation) * (below - above) / rise
                                          : 0.5f * (above + below);
            const float now = axis.separation(form_of(body), pose(body, time), edge, witness);
            if (fabsf(now - TARGET) < TOLERANCE) return time;
            (now > TARGET ? above : below) = time;
            (now > TARGET ? above_separation : below_separation) = now;
        }
        return late;
    }
};

}  // namespace lunar_lander
