// A worm on a plate, twin of src/battery/plate.rs, where the equations are: the same operations on doubles in the same order. What
// follows from a plate's sizes alone the host has worked out (PlateSizes).
#pragma once
#include "../num_transcendental.cuh"
#include "../rng.cuh"

namespace battery {

constexpr double PI = 3.14159265358979323846, TAU = 2.0 * PI;

struct Source {
    double x, y, strength;
};

struct Worm {
    double x, y, heading, adapted;
    int32_t pause, step;

    Worm() = default;

    __device__ __forceinline__ Worm(double x, double y, double heading)
        : x(x), y(y), heading(heading), adapted(0.0), pause(0), step(0) {}

    __device__ __forceinline__ double distance() const { return sqrt(x * x + y * y); }

    __device__ __forceinline__ double distance_to(const Source& source) const {
        const double dx = x - source.x, dy = y - source.y;
        return sqrt(dx * dx + dy * dy);
    }
};

// What a step draws; the noise of the sense is used up at once.
struct StepDraws {
    float heading, event, turn;
};

enum class Motion : uint32_t { PAUSED, PIROUETTE, CRAWLED };

__device__ __forceinline__ double wrap(double angle) { return angle - TAU * floor((angle + PI) / TAU); }

__device__ __forceinline__ double angle_of(double y, double x) {
    if (x == 0.0 && y == 0.0) return 0.0;
    const double upper = num::transcendental::angle(fabs(y), x);
    return y < 0.0 ? -upper : upper;
}

__device__ __forceinline__ void direction(double angle, double& sin, double& cos) {
    float s, c;
    num::sin_cos((float)angle, s, c);
    sin = (double)s;
    cos = (double)c;
}

// The noise of the sense, and the other draws.
__device__ __forceinline__ float draw(const uint4& words, StepDraws& draws) {
    const float2 normals = normal_pair(words.x, words.y);
    draws = {normals.y, unit_uniform(words.z), unit_uniform(words.w)};
    return normals.x;
}

namespace plate {

__device__ __forceinline__ double concentration(const PlateSizes& plate, const Source& source, double x, double y) {
    const double dx = x - source.x, dy = y - source.y;
    const double fall = num::transcendental::exp(-(dx * dx + dy * dy) / plate.twice_variance);
    return plate.base + source.strength * plate.peak * fall;
}

// On, off, tonic, sine and cosine of the sweep.
__device__ __forceinline__ void observe(const PlateSizes& plate, Worm& worm, const Source& source, float noise, float* senses) {
    const double sweeps = (double)worm.step * plate.sweeps_a_step;
    float sin, cos;
    num::sin_cos_pi((float)(2.0 * (sweeps - floor(sweeps))), sin, cos);
    double nose_sin, nose_cos;
    direction(worm.heading + plate.sweep * (double)sin, nose_sin, nose_cos);
    const double felt =
        concentration(plate, source, worm.x + plate.length * nose_cos, worm.y + plate.length * nose_sin);
    if (worm.step == 0) worm.adapted = felt;
    const double change = felt - worm.adapted;
    const float e = (float)(plate.gain * change / (plate.half + worm.adapted) + plate.noise * (double)noise);
    worm.adapted = worm.adapted + plate.adapting * change;
    senses[0] = num::clip_unit(e);
    senses[1] = num::clip_unit(-e);
    senses[2] = (float)(felt / plate.reference);
    senses[3] = sin;
    senses[4] = cos;
}

__device__ __forceinline__ Motion act(const PlateSizes& plate, Worm& worm, float turn, float drive, const StepDraws& draws) {
    if (worm.pause > 0) {
        --worm.pause;
        return Motion::PAUSED;
    }
    const double driven = drive > 0.0f ? (double)(drive < 1.0f ? drive : 1.0f) : 0.0;
    if ((double)draws.event < 1.0 - num::transcendental::exp(-plate.rate * driven * plate.dt)) {
        worm.heading = wrap(worm.heading + PI * (2.0 * (double)draws.turn - 1.0));
        worm.pause = plate.pause;
        return Motion::PIROUETTE;
    }
    const float turned = turn >= -1.0f ? (turn < 1.0f ? turn : 1.0f) : -(float)(turn < -1.0f);
    const double noise = plate.heading_noise * (double)draws.heading;
    worm.heading = wrap(worm.heading + plate.turning * (double)turned + noise);
    double sin, cos;
    direction(worm.heading, sin, cos);
    worm.x = worm.x + plate.stride * cos;
    worm.y = worm.y + plate.stride * sin;
    return Motion::CRAWLED;
}

__device__ __forceinline__ Motion step(const PlateSizes& plate, Worm& worm, float turn, float drive, const StepDraws& draws) {
    ++worm.step;
    const Motion motion = act(plate, worm, turn, drive, draws);
    const double distance = worm.distance();
    if (distance > plate.radius) {
        const double back = plate.radius / distance;
        worm.x = worm.x * back;
        worm.y = worm.y * back;
        worm.heading = wrap(2.0 * angle_of(worm.y, worm.x) + PI - worm.heading);
    }
    return motion;
}

}  // namespace plate

}  // namespace battery
