// The ground, twin of src/world/lunar_lander/terrain.rs.
#pragma once
#include "../draws.cuh"
#include "bodies.cuh"

namespace lunar_lander {

constexpr double WIDTH = 600.0 / 30.0, HEIGHT = 400.0 / 30.0, PAD = HEIGHT / 4.0;
constexpr int CORNERS = 11, EDGES = CORNERS;

struct Terrain {
    float heights[CORNERS], highest;

    __device__ __forceinline__ void draw(Draws& draws) {
        double noise[CORNERS + 1];
        for (int i = 0; i <= CORNERS; ++i) noise[i] = draws.between(0.0, HEIGHT / 2.0);
        for (int i = 3; i <= 7; ++i) noise[i] = PAD;
        highest = 0.0f;
        for (int i = 0; i < CORNERS; ++i) {
            heights[i] = (float)(0.33 * (noise[i == 0 ? CORNERS : i - 1] + noise[i] + noise[i + 1]));
            highest = heights[i] > highest ? heights[i] : highest;
        }
    }

    // Edge 0 is the base line, edge e the one from corner e - 1 to corner e.
    __device__ __forceinline__ Edge edge(int e) const {
        if (e == 0) return {{{0.0f, 0.0f}, {(float)WIDTH, 0.0f}}};
        return {{{2.0f * (float)(e - 1), heights[e - 1]}, {2.0f * (float)e, heights[e]}}};
    }

    __device__ __forceinline__ Bounds wide(int e) const { return Bounds::of(edge(e), SKIN).grown(MARGIN); }

    // Whether a box lies above all of the edges' wide ones.
    __device__ __forceinline__ bool is_below(const Bounds& bounds) const {
        return bounds.low.y > highest + 2.0f * (SKIN + MARGIN);
    }
};

}  // namespace lunar_lander
