// CUDA C++ for a plain C++ compiler: what nvcc knows by itself and our kernels use, on top of runtime.hpp.
//
// What it asks of kernels:
// - KERNEL(...) with one structure of plain values; DYNAMIC_SHARED for shared memory whose size the launch decides, and
//   for anything large: `__shared__` variables of all kernels together are poisoned before every block.
// - A loop that waits for another thread calls __nanosleep, and waits for another block only in a cooperative launch.
// - A barrier is one place in the source that every thread of the block reaches; nobody returns before it. Lanes named
//   in a mask meet in one operation with one mask, and none of them returns before. A GPU may let more pass.
// - Groups of lanes with masks of their own are fine where the masks do not overlap.
// - Local arrays of a thread fit into 256 KB.
// - No headers of the standard library after this one: it defines names they use, such as __noinline__.
#pragma once

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <type_traits>

#include "runtime.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __grid_constant__
#define __restrict__ __restrict
#define __launch_bounds__(...)
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) __attribute__((aligned(bytes)))
// A block lives on one operating system thread, from its first instruction to its last.
#define __shared__ static thread_local

// KERNEL(name, Args, threads, blocks) { body that reads args }
#define KERNEL(name, Args, threads, blocks) EMU_KERNEL(name, Args, threads, blocks)
#define EMU_KERNEL(name, Args, threads, blocks)                                                             \
    static void name(const Args args);                                                                      \
    static const ::emu::Kernel emu_kernel_##name(                                                           \
        #name, sizeof(Args), threads, blocks,                                                               \
        [](const void* arguments) { name(*static_cast<const Args*>(arguments)); });                         \
    static void name(const Args args)

// The block's dynamic shared memory: exactly the bytes the launch asked for, filled with 0xFF (NaN as float or half).
#define DYNAMIC_SHARED(name) char* const name = ::emu::here.dynamic_shared

#define threadIdx (::emu::fixed(::emu::here.thread))
#define blockIdx (::emu::fixed(::emu::here.block))
#define blockDim (::emu::fixed(::emu::here.block_size))
#define gridDim (::emu::fixed(::emu::here.grid_size))
constexpr int warpSize = 32;

struct __align__(8) float2 { float x, y; };
struct float3 { float x, y, z; };
struct __align__(16) float4 { float x, y, z, w; };
struct __align__(8) int2 { int x, y; };
struct int3 { int x, y, z; };
struct __align__(16) int4 { int x, y, z, w; };
struct __align__(8) uint2 { unsigned x, y; };
struct __align__(16) uint4 { unsigned x, y, z, w; };
struct __align__(16) double2 { double x, y; };

inline float2 make_float2(float x, float y) { return {x, y}; }
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int2 make_int2(int x, int y) { return {x, y}; }
inline int3 make_int3(int x, int y, int z) { return {x, y, z}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint3 make_uint3(unsigned x, unsigned y, unsigned z) { return {x, y, z}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

// Where the source calls an operation; as a last parameter it costs the caller nothing.
#define EMU_WHERE const char *file = __builtin_FILE(), int line = __builtin_LINE()

namespace emu {

template <class T>
const T& fixed(const T& value) {
    return value;
}

template <class To, class From>
To bits(const From& from) {
    static_assert(sizeof(To) == sizeof(From), "the same number of bits");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}

inline unsigned lane() {
    return (here.thread.x + here.block_size.x * (here.thread.y + here.block_size.y * here.thread.z)) % 32;
}

// All lanes of a warp bring a `T` each and leave with an `R` each, which `compute` finds for all of them at once:
// the emulated twin of an instruction that a warp executes together.
template <class T, class R, void (*compute)(const T (&)[32], R (&)[32])>
void warp_compute(const T& mine, R& result, EMU_WHERE) {
    static_assert(std::is_trivially_copyable<T>::value && std::is_trivially_copyable<R>::value, "plain values only");
    Together together = [](uint32_t mask, const void* const* mine, void* const* result) {
        T all[32];
        R results[32];
        memset(static_cast<void*>(all), 0xFF, sizeof all);
        for (unsigned l = 0; l < 32; ++l)
            if (mask >> l & 1) memcpy(static_cast<void*>(&all[l]), mine[l], sizeof(T));
        compute(all, results);
        for (unsigned l = 0; l < 32; ++l)
            if (mask >> l & 1) memcpy(result[l], static_cast<const void*>(&results[l]), sizeof(R));
    };
    meet(~0u, "a warp's instruction", together, &mine, &result, {file, line});
}

// Every lane of `mask` gets what all of them brought; the slots of other lanes hold 0xFF.
template <class T>
void gather(uint32_t mask, const char* name, const T& mine, T (&all)[32], Where where) {
    static_assert(std::is_trivially_copyable<T>::value, "plain values only");
    Together together = [](uint32_t mask, const void* const* mine, void* const* result) {
        T all[32];
        memset(static_cast<void*>(all), 0xFF, sizeof all);
        for (unsigned l = 0; l < 32; ++l)
            if (mask >> l & 1) memcpy(static_cast<void*>(&all[l]), mine[l], sizeof(T));
        for (unsigned l = 0; l < 32; ++l)
            if (mask >> l & 1) memcpy(result[l], static_cast<const void*>(all), sizeof all);
    };
    meet(mask, name, together, &mine, all, where);
}

// The same for the whole warp.
template <class T>
void warp_gather(const T& mine, T (&all)[32], EMU_WHERE) {
    gather(~0u, "warp_gather", mine, all, {file, line});
}

enum class Shuffle { from, up, down, flip };

// The lane whose value `lane` gets, in segments of `width` lanes; its own where the source is outside its segment.
inline unsigned shuffle_source(Shuffle kind, unsigned lane, unsigned by, unsigned width) {
    unsigned first = lane & ~(width - 1), end = first + width;
    switch (kind) {
        case Shuffle::from: return first | (by & (width - 1));
        case Shuffle::up: return lane >= first + by ? lane - by : lane;
        case Shuffle::down: return lane + by < end ? lane + by : lane;
        default: return (lane ^ by) < end ? (lane ^ by) & 31 : lane;
    }
}

template <Shuffle kind, class T>
T shuffle(uint32_t mask, const char* name, T value, unsigned by, int width, Where where) {
    static_assert(std::is_arithmetic<T>::value && sizeof(T) >= 4, "what the GPU can shuffle");
    struct Offer {
        T value;
        unsigned source;
    };
    Together together = [](uint32_t mask, const void* const* mine, void* const* result) {
        for (unsigned l = 0; l < 32; ++l) {
            if (!(mask >> l & 1)) continue;
            unsigned source = static_cast<const Offer*>(mine[l])->source;
            if (mask >> source & 1)
                memcpy(result[l], &static_cast<const Offer*>(mine[source])->value, sizeof(T));
            else
                memset(result[l], 0xFF, sizeof(T));  // undefined on the GPU
        }
    };
    Offer offer{value, shuffle_source(kind, lane(), by, unsigned(width))};
    T result;
    meet(mask, name, together, &offer, &result, where);
    return result;
}

inline uint32_t ballot(uint32_t mask, const char* name, bool vote, Where where) {
    bool all[32];
    gather(mask, name, vote, all, where);
    uint32_t votes = 0;
    for (unsigned l = 0; l < 32; ++l)
        if (mask >> l & 1) votes |= uint32_t(all[l] == true) << l;
    return votes;
}

template <class Combine>
uint32_t reduce(uint32_t mask, const char* name, uint32_t value, Combine combine, Where where) {
    uint32_t all[32], sum = value;
    gather(mask, name, value, all, where);
    for (unsigned l = 0; l < 32; ++l)
        if (l != lane() && (mask >> l & 1)) sum = combine(sum, all[l]);
    return sum;
}

// An atomic update for which the processor has no instruction.
template <class T, class Update>
T atomic(T* at, Update update) {
    T old, next;
    __atomic_load(at, &old, __ATOMIC_SEQ_CST);
    do next = update(old);
    while (!__atomic_compare_exchange(at, &old, &next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return old;
}

}  // namespace emu

// Barriers and fences. Memory is ordered by the rendezvous themselves and by sequentially consistent atomics.

inline void __syncthreads(EMU_WHERE) { emu::barrier({file, line}); }
inline void __syncwarp(uint32_t mask = ~0u, EMU_WHERE) {
    emu::Together nothing = [](uint32_t, const void* const*, void* const*) {};
    emu::meet(mask, "__syncwarp", nothing, nullptr, nullptr, {file, line});
}
inline void __threadfence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __threadfence_block() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
inline void __nanosleep(unsigned) { emu::pause(); }
[[noreturn]] inline void __trap(EMU_WHERE) { emu::stop("trap at %s:%d", file, line); }
inline long long clock64() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

// Warp operations.

template <class T>
T __shfl_sync(uint32_t mask, T value, int lane, int width = 32, EMU_WHERE) {
    return emu::shuffle<emu::Shuffle::from>(mask, "__shfl_sync", value, unsigned(lane), width, {file, line});
}
template <class T>
T __shfl_up_sync(uint32_t mask, T value, unsigned by, int width = 32, EMU_WHERE) {
    return emu::shuffle<emu::Shuffle::up>(mask, "__shfl_up_sync", value, by, width, {file, line});
}
template <class T>
T __shfl_down_sync(uint32_t mask, T value, unsigned by, int width = 32, EMU_WHERE) {
    return emu::shuffle<emu::Shuffle::down>(mask, "__shfl_down_sync", value, by, width, {file, line});
}
template <class T>
T __shfl_xor_sync(uint32_t mask, T value, int by, int width = 32, EMU_WHERE) {
    return emu::shuffle<emu::Shuffle::flip>(mask, "__shfl_xor_sync", value, unsigned(by), width, {file, line});
}
inline uint32_t __ballot_sync(uint32_t mask, int vote, EMU_WHERE) {
    return emu::ballot(mask, "__ballot_sync", vote, {file, line});
}
inline int __any_sync(uint32_t mask, int vote, EMU_WHERE) {
    return emu::ballot(mask, "__any_sync", vote, {file, line}) != 0;
}
inline int __all_sync(uint32_t mask, int vote, EMU_WHERE) {
    return emu::ballot(mask, "__all_sync", !vote, {file, line}) == 0;
}
inline uint32_t __reduce_add_sync(uint32_t mask, uint32_t value, EMU_WHERE) {
    return emu::reduce(mask, "__reduce_add_sync", value, [](uint32_t a, uint32_t b) { return a + b; }, {file, line});
}
inline uint32_t __reduce_min_sync(uint32_t mask, uint32_t value, EMU_WHERE) {
    return emu::reduce(
        mask, "__reduce_min_sync", value, [](uint32_t a, uint32_t b) { return a < b ? a : b; }, {file, line});
}
inline uint32_t __reduce_max_sync(uint32_t mask, uint32_t value, EMU_WHERE) {
    return emu::reduce(
        mask, "__reduce_max_sync", value, [](uint32_t a, uint32_t b) { return a < b ? b : a; }, {file, line});
}

// Atomics, between threads, blocks and host alike.

template <class T>
T atomicAdd(T* at, std::common_type_t<T> by) {
    if constexpr (std::is_integral<T>::value)
        return __atomic_fetch_add(at, by, __ATOMIC_SEQ_CST);
    else
        return emu::atomic(at, [&](T old) { return old + by; });
}
template <class T>
T atomicMax(T* at, std::common_type_t<T> value) {
    static_assert(std::is_integral<T>::value, "integers only");
    return emu::atomic(at, [&](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* at, std::common_type_t<T> value) {
    static_assert(std::is_integral<T>::value, "integers only");
    return emu::atomic(at, [&](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* at, std::common_type_t<T> value) {
    return emu::atomic(at, [&](T) { return value; });
}
template <class T>
T atomicCAS(T* at, std::common_type_t<T> expected, std::common_type_t<T> value) {
    __atomic_compare_exchange_n(at, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return expected;
}
template <class T>
T atomicOr(T* at, std::common_type_t<T> value) {
    return __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST);
}
template <class T>
T atomicAnd(T* at, std::common_type_t<T> value) {
    return __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST);
}

// Bits and integers.

inline unsigned __float_as_uint(float v) { return emu::bits<unsigned>(v); }
inline float __uint_as_float(unsigned v) { return emu::bits<float>(v); }
inline int __float_as_int(float v) { return emu::bits<int>(v); }
inline float __int_as_float(int v) { return emu::bits<float>(v); }
inline long long __double_as_longlong(double v) { return emu::bits<long long>(v); }
inline double __longlong_as_double(long long v) { return emu::bits<double>(v); }
inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
inline int __popc(unsigned v) { return __builtin_popcount(v); }
inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
inline int __ffs(int v) { return __builtin_ffs(v); }
inline int __clz(int v) { return v ? __builtin_clz(unsigned(v)) : 32; }
inline int __clzll(long long v) { return v ? __builtin_clzll((unsigned long long)v) : 64; }

// CUDA picks these by type, mixed signs included; std::min would take references.
#define EMU_MIN_MAX(A, B, R)                                                                                \
    inline R min(A a, B b) { return static_cast<R>(a) < static_cast<R>(b) ? static_cast<R>(a) : static_cast<R>(b); } \
    inline R max(A a, B b) { return static_cast<R>(a) < static_cast<R>(b) ? static_cast<R>(b) : static_cast<R>(a); }
EMU_MIN_MAX(int, int, int)
EMU_MIN_MAX(unsigned, unsigned, unsigned)
EMU_MIN_MAX(int, unsigned, unsigned)
EMU_MIN_MAX(unsigned, int, unsigned)
EMU_MIN_MAX(long, long, long)
EMU_MIN_MAX(unsigned long, unsigned long, unsigned long)
EMU_MIN_MAX(long long, long long, long long)
EMU_MIN_MAX(unsigned long long, unsigned long long, unsigned long long)
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

// Floating point. fmaf, sqrtf and their like come from math.h; each of these rounds once, to nearest.

inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline int __float2int_rn(float v) { return int(rintf(v)); }
inline int __float2int_rz(float v) { return int(v); }
inline float __int2float_rn(int v) { return float(v); }
inline float __uint2float_rn(unsigned v) { return float(v); }

// Loads and stores with a hint for the caches.

template <class T>
T __ldg(const T* at) {
    return *at;
}
template <class T>
T __ldcg(const T* at) {
    return *at;
}
template <class T>
void __stcg(T* at, std::common_type_t<T> value) {
    *at = value;
}
