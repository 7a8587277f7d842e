// Where an edge of the ground and a body touch, twin of src/world/lunar_lander/collide.rs.
#pragma once
#include "bodies.cuh"

namespace lunar_lander {

// Skins of edge and body.
constexpr float APART = 2.0f * SKIN;

// What made a point: index on the edge, index on the body, and whether these are corners (0) or sides (1); a byte each.
constexpr uint32_t CORNER = 0, SIDE = 1;
__device__ __forceinline__ uint32_t identity_of(int edge, int body, uint32_t edge_kind, uint32_t body_kind) {
    return (uint32_t)edge | (uint32_t)body << 8 | edge_kind << 16 | body_kind << 24;
}

struct Point {
    Vec2 local;
    uint32_t identity;
    float normal_impulse, tangent_impulse;
};

// An end of the segment that is being clipped.
struct End {
    Vec2 at;
    uint32_t identity;
};

// What of a segment lies behind a line. False if that is not a segment.
__device__ __forceinline__ bool clip(End (&ends)[2], Vec2 normal, float offset, int index) {
    const float first = dot(normal, ends[0].at) - offset, second = dot(normal, ends[1].at) - offset;
    const bool keeps_first = first <= 0.0f, keeps_second = second <= 0.0f;
    if (first * second < 0.0f) {
        const float part = first / (first - second);
        const End cut = {ends[0].at + part * (ends[1].at - ends[0].at),
                         identity_of(index, ends[0].identity >> 8 & 255, CORNER, SIDE)};
        // One of them is kept, and it comes first.
        if (!keeps_first) ends[0] = ends[1];
        ends[1] = cut;
        return true;
    }
    return keeps_first && keeps_second;
}

// How edge and body touch.
struct Manifold {
    bool is_on_body;  // the reference side is the body's
    Vec2 normal, point;
    Point points[2];
    int count;

    // Of an edge with a body, its impulses 0.
    __device__ __forceinline__ void find(int body, const Pose& pose, const Edge& edge) {
        const Form& form = form_of(body);
        *this = {};
        const Vec2 v1 = edge.ends[0], v2 = edge.ends[1];
        const Vec2 edge_normal = clockwise(normalised(v2 - v1));
        const bool is_front = dot(edge_normal, pose.of(form.centroid) - v1) >= 0.0f;
        const Vec2 facing = is_front ? edge_normal : -edge_normal;

        Vec2 vertices[MOST_CORNERS], normals[MOST_CORNERS];
        float edge_separation = FLOAT_MAX;
        for (int k = 0; k < form.corners; ++k) {
            vertices[k] = pose.of(form.vertices[k]);
            const float separation = dot(facing, vertices[k] - v1);
            if (separation < edge_separation) edge_separation = separation;
        }
        if (edge_separation > APART) return;
        int side = 0;
        float side_separation = -FLOAT_MAX;
        for (int k = 0; k < form.corners; ++k) {
            normals[k] = pose.turn.of(form.normals[k]);
            const Vec2 inwards = -normals[k];
            const float separation = least(dot(inwards, vertices[k] - v1), dot(inwards, vertices[k] - v2));
            if (separation > APART) return;
            if (separation > side_separation) {
                side = k;
                side_separation = separation;
            }
        }
        const auto next = [&](int k) { return k + 1 < form.corners ? k + 1 : 0; };

        // The segment to be clipped, and the side that clips it: its ends, their indices and its normal.
        const bool on_body = side_separation > 0.98f * edge_separation + 0.001f;
        End segment[2];
        Vec2 from, to, across;
        int from_index, to_index;
        if (on_body) {
            const uint32_t identity = identity_of(0, side, CORNER, SIDE);
            segment[0] = {v1, identity};
            segment[1] = {v2, identity};
            from_index = side;
            to_index = next(side);
            from = vertices[from_index];
            to = vertices[to_index];
            normal = normals[side];
        } else {
            int best = 0;
            for (int k = 1; k < form.corners; ++k)
                if (dot(facing, normals[k]) < dot(facing, normals[best])) best = k;
            segment[0] = {vertices[best], identity_of(0, best, SIDE, CORNER)};
            segment[1] = {vertices[next(best)], identity_of(0, next(best), SIDE, CORNER)};
            from_index = is_front ? 0 : 1;
            to_index = is_front ? 1 : 0;
            from = is_front ? v1 : v2;
            to = is_front ? v2 : v1;
            normal = facing;
        }
        const Vec2 world_normal = normal;
        across = clockwise(normal);
        if (!clip(segment, across, dot(across, from), from_index) || !clip(segment, -across, dot(-across, to), to_index)) {
            *this = {};
            return;
        }
        is_on_body = on_body;
        normal = on_body ? form.normals[side] : normal;
        point = on_body ? form.vertices[side] : from;
        for (int i = 0; i < 2; ++i) {
            const End& end = segment[i];
            if (dot(world_normal, end.at - from) <= APART) {
                const uint32_t id = end.identity;
                // Of a body's side, the body's index comes first.
                const uint32_t swapped = (id & 0xff00ff00u) >> 8 | (id & 0x00ff00ffu) << 8;
                points[count] = {on_body ? end.at : pose.back(end.at), on_body ? swapped : id, 0.0f, 0.0f};
                ++count;
            }
        }
    }
};

// Where a contact's point is in the world.
struct Place {
    Vec2 normal, at, middle;
    float separation;

    // With the body here.
    __device__ __forceinline__ Place(const Manifold& manifold, int index, const Pose& pose) {
        const Vec2 local = manifold.points[index].local;
        const bool on_body = manifold.is_on_body;
        const Vec2 own_normal = on_body ? pose.turn.of(manifold.normal) : manifold.normal;
        at = on_body ? local : pose.of(local);
        const float distance = dot(at - (on_body ? pose.of(manifold.point) : manifold.point), own_normal);
        const Vec2 on_reference = at + (SKIN - distance) * own_normal, on_other = at - SKIN * own_normal;
        middle = 0.5f * (on_reference + on_other);
        normal = on_body ? -own_normal : own_normal;
        separation = distance - SKIN - SKIN;
    }
};

}  // namespace lunar_lander
