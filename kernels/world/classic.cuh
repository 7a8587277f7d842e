// What the three worlds of classic control share, twin of src/world/classic.rs: what is asked of double and float alike.
#pragma once
#include "../num_double.cuh"
#include "draws.cuh"

// What a step brought.
struct Outcome {
    double reward;
    bool terminated;
};

namespace classic {

__device__ __forceinline__ float multiply_add(float x, float factor, float sum) { return fmaf(x, factor, sum); }
__device__ __forceinline__ double multiply_add(double x, double factor, double sum) { return fma(x, factor, sum); }

// x / divisor, correctly rounded.
template <class F>
__device__ __forceinline__ F over(F x, F divisor) {
    const F reciprocal = (F)1 / divisor, quotient = x * reciprocal;
    return multiply_add(multiply_add(quotient, -divisor, x), reciprocal, quotient);
}

template <class F>
__device__ __forceinline__ F cosine(F x) {
    F sin, cos;
    num::sin_cos(x, sin, cos);
    return cos;
}

// -1, 0, 1 of the actions 0, 1, 2.
template <class F>
__device__ __forceinline__ F direction(int32_t action) {
    return (F)(action - 1);
}

}  // namespace classic
