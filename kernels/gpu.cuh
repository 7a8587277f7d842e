// The only file that asks "nvcc or g++". Under nvcc the kernels are what they look like; under g++ the same source runs
// on the stand-in driver in emu/.
//
// KERNEL(name, Args, threads, blocks) opens a kernel that takes one struct of abi.h by value, is launched with at most
// `threads` threads a block, and is to keep at least `blocks` blocks on a multiprocessor. SHARED(name) names the block's
// dynamic shared memory.
#pragma once
#include "abi.h"

#ifdef __CUDACC__
#define KERNEL(name, Args, threads, blocks) \
    extern "C" __global__ void __launch_bounds__(threads, blocks) name(const __grid_constant__ Args args)
#define SHARED(name) extern __shared__ __align__(16) char name[]
#else
#include "emu/shim.hpp"
#define SHARED(name) DYNAMIC_SHARED(name)
#endif

constexpr float NaN = __builtin_nanf("");

__device__ inline bool is_finite(float x) { return (__float_as_uint(x) & 0x7f800000u) != 0x7f800000u; }
__device__ inline bool is_nan(float x) { return x != x; }
