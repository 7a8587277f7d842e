// The product of matrices in shared memory that a block multiplies by itself, twin of src/cpu/matrix.rs: every sum
// belongs to one thread, which adds its products in their order, so the bits depend on neither the tiles nor the number
// of threads.
//
// A warp owns a tile of ROWS rows and 32 columns, a lane a column. What it needs of the left factor is the same in all
// lanes, 16 bytes at a time; the lanes' own numbers lie side by side, or in rows that are an odd number of 16 bytes
// apart, so neither is in the way of another.
#pragma once
#include "num.cuh"

namespace product {

// Element (i, k) of a factor whose sums go over k. Rows begin on 16 bytes.
struct Along {
    const float* at;  // [i][k]
    uint32_t stride;
};

struct Across {
    const float* at;  // [k][i]
    uint32_t stride;
};

// Elements (row + 0 .. ROWS, k + 0 .. STEPS); of rows that there are not, anything.
template <int ROWS, int STEPS>
__device__ __forceinline__ void load_rows(float (&to)[ROWS][STEPS], const Along& from, uint32_t row, uint32_t rows, uint32_t k) {
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        const float* const at = from.at + (row + i < rows ? row + i : row) * from.stride + k;
        if constexpr (STEPS == 4) {
            const float4 four = *(const float4*)at;
            to[i][0] = four.x, to[i][1] = four.y, to[i][2] = four.z, to[i][3] = four.w;
        } else {
            to[i][0] = *at;
        }
    }
}

template <int ROWS, int STEPS>
__device__ __forceinline__ void load_rows(float (&to)[ROWS][STEPS], const Across& from, uint32_t row, uint32_t rows, uint32_t k) {
    static_assert(ROWS % 4 == 0, "rows of such a factor are loaded in fours");
#pragma unroll
    for (int step = 0; step < STEPS; ++step)
#pragma unroll
        for (int i = 0; i < ROWS; i += 4) {
            const uint32_t first = row + i < rows ? row + i : row;
            const float4 four = *(const float4*)(from.at + (k + step) * from.stride + first);
            to[i][step] = four.x, to[i + 1][step] = four.y, to[i + 2][step] = four.z, to[i + 3][step] = four.w;
        }
}

template <int STEPS>
__device__ __forceinline__ void load_column(float (&to)[STEPS], const Along& from, uint32_t column, uint32_t k) {
    const float* const at = from.at + column * from.stride + k;
    if constexpr (STEPS == 4) {
        const float4 four = *(const float4*)at;
        to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
    } else {
        to[0] = *at;
    }
}

template <int STEPS>
__device__ __forceinline__ void load_column(float (&to)[STEPS], const Across& from, uint32_t column, uint32_t k) {
#pragma unroll
    for (int step = 0; step < STEPS; ++step) to[step] = from.at[(k + step) * from.stride + column];
}

template <int STEPS, int ROWS, class Left, class Right>
__device__ __forceinline__ void add(float (&sums)[ROWS], const Left& left, const Right& right, uint32_t row, uint32_t rows,
                                    uint32_t column, uint32_t k) {
    float x[ROWS][STEPS], y[STEPS];
    load_rows(x, left, row, rows, k);
    load_column(y, right, column, k);
#pragma unroll
    for (int step = 0; step < STEPS; ++step)
#pragma unroll
        for (int i = 0; i < ROWS; ++i) sums[i] = fmaf(x[i][step], y[step], sums[i]);
}

// put(row, column, start(row, column) + sum over k of left(row, k) * right(column, k)), by all threads of the block.
template <int ROWS, class Left, class Right, class Start, class Put>
__device__ __forceinline__ void multiply(uint32_t rows, uint32_t columns, uint32_t inner, Left left, Right right, Start start,
                                         Put put) {
    const uint32_t across = (columns + LANES - 1) / LANES, tiles = (rows + ROWS - 1) / ROWS * across;
#pragma unroll 1
    for (uint32_t tile = threadIdx.x / LANES; tile < tiles; tile += blockDim.x / LANES) {
        const uint32_t row = tile / across * ROWS, column = tile % across * LANES + threadIdx.x % LANES;
        if (column >= columns) continue;
        float sums[ROWS];
#pragma unroll
        for (int i = 0; i < ROWS; ++i) sums[i] = row + i < rows ? start(row + i, column) : 0.0f;
        uint32_t k = 0;
        // The more rows, the more products are on their way at once as it is.
#pragma unroll(ROWS <= 2 ? 4 : ROWS == 4 ? 2 : 1)
        for (; k + 4 <= inner; k += 4) add<4>(sums, left, right, row, rows, column, k);
#pragma unroll 1
        for (; k < inner; ++k) add<1>(sums, left, right, row, rows, column, k);
#pragma unroll
        for (int i = 0; i < ROWS; ++i)
            if (row + i < rows) put(row + i, column, sums[i]);
    }
}

// sum + the products of two rows in their order.
__device__ __forceinline__ float dot(float sum, const float* a, const float* b, uint32_t inner) {
    uint32_t k = 0;
#pragma unroll 4
    for (; k + 4 <= inner; k += 4) {
        const float4 x = *(const float4*)(a + k), y = *(const float4*)(b + k);
        sum = fmaf(x.w, y.w, fmaf(x.z, y.z, fmaf(x.y, y.y, fmaf(x.x, y.x, sum))));
    }
    for (; k < inner; ++k) sum = fmaf(a[k], b[k], sum);
    return sum;
}

}  // namespace product
