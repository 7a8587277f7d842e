// Points, turns, poses and boxes, twin of src/world/lunar_lander/geometry.rs.
#pragma once
#include "../../num_single.cuh"

namespace lunar_lander {

constexpr float PI = 3.14159265358979323846f, FLOAT_MAX = 3.40282347e+38f, FLOAT_EPSILON = 1.1920929e-7f;

struct Vec2 {
    float x, y;
};

__device__ __forceinline__ Vec2 operator+(Vec2 a, Vec2 b) { return {a.x + b.x, a.y + b.y}; }
__device__ __forceinline__ Vec2 operator-(Vec2 a, Vec2 b) { return {a.x - b.x, a.y - b.y}; }
__device__ __forceinline__ Vec2 operator*(float a, Vec2 b) { return {a * b.x, a * b.y}; }
__device__ __forceinline__ Vec2 operator-(Vec2 a) { return {-a.x, -a.y}; }
__device__ __forceinline__ float dot(Vec2 a, Vec2 b) { return a.x * b.x + a.y * b.y; }
// The third component of the product in space.
__device__ __forceinline__ float cross(Vec2 a, Vec2 b) { return a.x * b.y - a.y * b.x; }
__device__ __forceinline__ Vec2 clockwise(Vec2 v) { return {v.y, -v.x}; }
__device__ __forceinline__ Vec2 counter_clockwise(Vec2 v) { return {-v.y, v.x}; }
__device__ __forceinline__ float length(Vec2 v) { return sqrtf(dot(v, v)); }

__device__ __forceinline__ Vec2 normalised(Vec2 v) {
    const float size = length(v);
    return size < FLOAT_EPSILON ? v : (1.0f / size) * v;
}

// Of equals (a zero and its negative) the second.
__device__ __forceinline__ float least(float a, float b) { return a < b ? a : b; }
__device__ __forceinline__ float greatest(float a, float b) { return a > b ? a : b; }
__device__ __forceinline__ float clamp(float x, float low, float high) { return greatest(low, least(x, high)); }
__device__ __forceinline__ Vec2 least(Vec2 a, Vec2 b) { return {least(a.x, b.x), least(a.y, b.y)}; }
__device__ __forceinline__ Vec2 greatest(Vec2 a, Vec2 b) { return {greatest(a.x, b.x), greatest(a.y, b.y)}; }

struct Turn {
    float sin, cos;

    static __device__ __forceinline__ Turn by(float angle) {
        Turn turn;
        num::single_precision::sin_cos(angle, turn.sin, turn.cos);
        return turn;
    }

    __device__ __forceinline__ Vec2 of(Vec2 v) const { return {cos * v.x - sin * v.y, sin * v.x + cos * v.y}; }
    __device__ __forceinline__ Vec2 back(Vec2 v) const { return {cos * v.x + sin * v.y, -sin * v.x + cos * v.y}; }
};

struct Pose {
    Vec2 origin;
    Turn turn;

    // Of the body whose centre of mass, `local` in its frame, is at `centre`.
    static __device__ __forceinline__ Pose around(Vec2 centre, Vec2 local, Turn turn) {
        return {centre - turn.of(local), turn};
    }

    __device__ __forceinline__ Vec2 of(Vec2 v) const { return turn.of(v) + origin; }
    __device__ __forceinline__ Vec2 back(Vec2 v) const { return turn.back(v - origin); }
};

struct Edge {
    Vec2 ends[2];
};

struct Bounds {
    Vec2 low, high;

    static __device__ __forceinline__ Bounds nothing() { return {{FLOAT_MAX, FLOAT_MAX}, {-FLOAT_MAX, -FLOAT_MAX}}; }

    static __device__ __forceinline__ Bounds of(const Edge& edge, float skin) {
        Bounds bounds = nothing();
        bounds.take(edge.ends[0]);
        bounds.take(edge.ends[1]);
        return bounds.grown(skin);
    }

    __device__ __forceinline__ void take(Vec2 point) {
        low = least(low, point);
        high = greatest(high, point);
    }

    __device__ __forceinline__ Bounds grown(float by) const { return {low - Vec2{by, by}, high + Vec2{by, by}}; }

    __device__ __forceinline__ Bounds with(const Bounds& other) const {
        return {least(low, other.low), greatest(high, other.high)};
    }

    // Further on the side that lies in this direction.
    __device__ __forceinline__ Bounds stretched(Vec2 by) const {
        Bounds bounds = *this;
        (by.x < 0.0f ? bounds.low.x : bounds.high.x) += by.x;
        (by.y < 0.0f ? bounds.low.y : bounds.high.y) += by.y;
        return bounds;
    }

    __device__ __forceinline__ bool holds(const Bounds& other) const {
        return low.x <= other.low.x && low.y <= other.low.y && other.high.x <= high.x && other.high.y <= high.y;
    }

    // Touching counts.
    __device__ __forceinline__ bool meets(const Bounds& other) const {
        return other.low.x - high.x <= 0.0f && other.low.y - high.y <= 0.0f && low.x - other.high.x <= 0.0f &&
               low.y - other.high.y <= 0.0f;
    }
};

}  // namespace lunar_lander
