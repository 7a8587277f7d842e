// Kernels for self_test.cpp: some correct, some each with one planted mistake.
#include "shim.hpp"

struct Sum {
    const float* in;
    float* out;
    unsigned n;
};

// One sum a block, in a tree over shared memory.
KERNEL(block_sum, Sum, 256, 1) {
    DYNAMIC_SHARED(bytes);
    float* partial = reinterpret_cast<float*>(bytes);
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    partial[threadIdx.x] = i < args.n ? args.in[i] : 0.0f;
    __syncthreads();
    for (unsigned half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0) args.out[blockIdx.x] = partial[0];
}

// Inclusive sums over each warp, then the warp's total and its lanes with odd inputs.
struct Scan {
    const unsigned* in;
    unsigned* out;
    unsigned* totals;
};
KERNEL(warp_scan, Scan, 128, 1) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x, lane = threadIdx.x % warpSize;
    unsigned mine = args.in[i], sum = mine;
    for (unsigned by = 1; by < 32; by *= 2) {
        unsigned below = __shfl_up_sync(~0u, sum, by);
        if (lane >= by) sum += below;
    }
    args.out[i] = sum;
    unsigned total = __reduce_add_sync(~0u, mine);
    unsigned odd = __ballot_sync(~0u, mine & 1);
    // Halves of a warp may go separate ways with masks of their own.
    unsigned half = lane < 16 ? 0x0000FFFFu : 0xFFFF0000u;
    unsigned across = mine;
    if (lane < 16)
        for (int by = 8; by > 0; by /= 2) across += __shfl_xor_sync(half, across, by, 16);
    else
        for (int by = 8; by > 0; by /= 2) across = max(across, __shfl_xor_sync(half, across, by, 16));
    if (lane == 0) args.totals[4 * (i / 32)] = total, args.totals[4 * (i / 32) + 2] = across;
    if (lane == 31) args.totals[4 * (i / 32) + 1] = __popc(odd), args.totals[4 * (i / 32) + 3] = across;
}

// Blocks hand numbers round in a ring; they meet before every read and before every write.
struct Ring {
    unsigned* values;
    unsigned* arrived;
    unsigned rounds;
};
__device__ void grid_barrier(unsigned* arrived, unsigned target) {
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        atomicAdd(arrived, 1u);
        while (atomicAdd(arrived, 0u) < target) __nanosleep(20);
        __threadfence();
    }
    __syncthreads();
}
KERNEL(ring, Ring, 64, 1) {
    unsigned meetings = 0;
    for (unsigned r = 0; r < args.rounds; ++r) {
        unsigned i = ((blockIdx.x + 1) % gridDim.x) * blockDim.x + threadIdx.x;
        unsigned next = args.values[i] * 3 + r;
        grid_barrier(args.arrived, ++meetings * gridDim.x);
        args.values[blockIdx.x * blockDim.x + threadIdx.x] = next;
        grid_barrier(args.arrived, ++meetings * gridDim.x);
    }
}

// C += A B with 16 x 8 times 8 x 8 a warp, in the layout of the GPU's matrix instruction for tf32: by what one lane can
// see of the others, and once for all.
struct Product {
    const float *a, *b;
    float *gathered, *computed;
};
struct Fragments {
    float a[4], b[2];
};
__device__ float element(const Fragments (&all)[32], unsigned row, unsigned column) {
    float sum = 0;
    for (unsigned k = 0; k < 8; ++k)
        sum = fmaf(all[row % 8 * 4 + k % 4].a[row / 8 + k / 4 * 2], all[column * 4 + k % 4].b[k / 4], sum);
    return sum;
}
__device__ void product(const Fragments (&all)[32], float4 (&c)[32]) {
    for (unsigned l = 0; l < 32; ++l)
        c[l] = make_float4(element(all, l / 4, l % 4 * 2), element(all, l / 4, l % 4 * 2 + 1),
                           element(all, l / 4 + 8, l % 4 * 2), element(all, l / 4 + 8, l % 4 * 2 + 1));
}
KERNEL(warp_product, Product, 32, 1) {
    unsigned lane = threadIdx.x, row = lane / 4, k = lane % 4;
    Fragments mine;
    for (unsigned j = 0; j < 4; ++j) mine.a[j] = args.a[(row + j % 2 * 8) * 8 + k + j / 2 * 4];
    for (unsigned j = 0; j < 2; ++j) mine.b[j] = args.b[(k + j * 4) * 8 + row];
    Fragments all[32];
    emu::warp_gather(mine, all);
    for (unsigned j = 0; j < 4; ++j) {
        unsigned r = row + j / 2 * 8, c = k * 2 + j % 2;
        args.gathered[r * 8 + c] = element(all, r, c);
    }
    float4 c;
    emu::warp_compute<Fragments, float4, product>(mine, c);
    args.computed[row * 8 + k * 2] = c.x;
    args.computed[row * 8 + k * 2 + 1] = c.y;
    args.computed[(row + 8) * 8 + k * 2] = c.z;
    args.computed[(row + 8) * 8 + k * 2 + 1] = c.w;
}

struct Out {
    float* out;
    unsigned n;
};

// Instances of a template, named by a macro; a large local array, atomics and static shared memory.
template <int scale>
__device__ void histogram(float* out, unsigned n) {
    __shared__ unsigned counts[8];
    float local[8192];
    for (int i = 0; i < 8192; ++i) local[i] = float(i % 8) * scale;
    if (threadIdx.x < 8) counts[threadIdx.x] = 0;
    __syncthreads();
    atomicAdd(&counts[threadIdx.x % 8], 1u);
    __syncthreads();
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&out[i % 8], local[i] * float(counts[i % 8]));
}
#define HISTOGRAM(scale) \
    KERNEL(histogram_##scale, Out, 64, 1) { histogram<scale>(args.out, args.n); }
HISTOGRAM(1)
HISTOGRAM(3)

// Blocks on several processors add to the same number.
KERNEL(pile_up, Out, 64, 1) {
    for (unsigned i = 0; i < args.n; ++i) atomicAdd(args.out, 1.0f);
}

struct Chain {
    const float* in;
    float* out;
    float add;
};
KERNEL(add_to, Chain, 64, 1) { args.out[threadIdx.x] = args.in[threadIdx.x] + args.add; }

// In which order threads and blocks come.
KERNEL(order_of_arrival, Ring, 64, 1) {
    args.values[blockIdx.x * blockDim.x + threadIdx.x] = atomicAdd(args.arrived, 1u);
}

// ---- planted mistakes ----

// Reads what a neighbour wrote, without a barrier between.
KERNEL(missing_barrier, Out, 64, 1) {
    __shared__ float values[64];
    values[threadIdx.x] = float(threadIdx.x);
    args.out[threadIdx.x] = values[(threadIdx.x + 1) % 64];
    __syncthreads();
}

KERNEL(divergent_barrier, Out, 64, 1) {
    if (threadIdx.x < 40) __syncthreads();
    args.out[threadIdx.x] = 1;
}

KERNEL(two_barriers, Out, 64, 1) {
    if (threadIdx.x < 40)
        __syncthreads();
    else
        __syncthreads();
    args.out[threadIdx.x] = 1;
}

KERNEL(two_masks, Out, 32, 1) {
    unsigned mask = threadIdx.x < 20 ? ~0u : 0xFFF80000u;
    args.out[threadIdx.x] = __shfl_xor_sync(mask, float(threadIdx.x), 1);
}

KERNEL(lane_returns, Out, 32, 1) {
    if (threadIdx.x == 0) return;
    args.out[threadIdx.x] = __shfl_xor_sync(~0u, float(threadIdx.x), 1);
}

KERNEL(two_operations, Out, 32, 1) {
    if (threadIdx.x < 8)
        args.out[threadIdx.x] = float(__any_sync(~0u, 1));
    else
        args.out[threadIdx.x] = __shfl_xor_sync(~0u, float(threadIdx.x), 1);
}

KERNEL(waits_for_ever, Out, 32, 1) {
    while (*static_cast<volatile float*>(args.out) != 12345.0f) __nanosleep(100);
}

// Shared memory, dynamic and static, that is read before it is written. The kernel before it left numbers there.
KERNEL(uninitialised, Out, 32, 1) {
    DYNAMIC_SHARED(bytes);
    __shared__ float fixed[32];
    const float* values = reinterpret_cast<const float*>(bytes);
    args.out[threadIdx.x] = values[threadIdx.x];
    args.out[32 + threadIdx.x] = fixed[threadIdx.x];
    fixed[threadIdx.x] = 1;
    reinterpret_cast<float*>(bytes)[threadIdx.x] = 1;
}

KERNEL(writes_beyond_global, Out, 64, 1) {
    if (threadIdx.x <= args.n) args.out[threadIdx.x] = 1;  // beyond global memory
}

KERNEL(writes_beyond_shared, Out, 64, 1) {
    DYNAMIC_SHARED(bytes);
    reinterpret_cast<float*>(bytes)[threadIdx.x] = 1;  // beyond dynamic shared memory
    args.out[threadIdx.x] = 1;
}

KERNEL(writes_beyond_fixed_shared, Out, 64, 1) {
    __shared__ float values[32];
    values[threadIdx.x] = 1;  // beyond fixed shared memory
    args.out[threadIdx.x] = values[threadIdx.x % 32];
}
