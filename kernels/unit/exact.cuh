// A unit in 32 environments, exact mode: f32, the CPU's order of every sum. Twin: src/unit/.
//
// The perturbed weights lie in a block's shared memory, made there by the block itself; a warp's state lies beside them, one row
// of 32 lanes for each memory cell, output and input: [h | o | x], so what a gate reads is consecutive rows.
//
// The product is tiled in registers: a lane owns 4 environments (lane % 8) and COLUMNS columns (lane / 8) of up to two
// gates at once, and for every row loads 4 inputs and COLUMNS weights a gate for 4 x COLUMNS fused multiply-adds each.
// Every sum has one accumulator and takes its rows in order.
#pragma once
#include "unit.cuh"

namespace exact {

constexpr uint32_t GROUPS = 4;  // of columns across a warp

template <int GATES, int COLUMNS>
struct Sums {
    float at[GATES][COLUMNS][4];
};

// In the widest loads that the alignment allows.
template <int COLUMNS>
__device__ __forceinline__ void load(const float* from, float (&to)[COLUMNS]) {
    if constexpr (COLUMNS % 4 == 0) {
#pragma unroll
        for (int c = 0; c < COLUMNS; c += 4) {
            const float4 four = *(const float4*)(from + c);
            to[c] = four.x, to[c + 1] = four.y, to[c + 2] = four.z, to[c + 3] = four.w;
        }
    } else {
        const float2 two = *(const float2*)from;
        to[0] = two.x, to[1] = two.y;
    }
}

// Of one window of environments.
struct Rows {
    float* memory;  // h
    float* first;   // update gate, or the LSTM's cell
    float* second;  // r * h, or the LSTM's next memory
    float* outputs;
    float* inputs;  // behind the outputs
};

// Shared memory of a block and of one of its warps, in floats.
template <class Unit, int COLUMNS>
struct Layout {
    static constexpr uint32_t TILE = GROUPS * COLUMNS;
    Matrices<Unit> matrices;
    uint32_t gate_stride, out_stride, gate_size;

    __device__ __forceinline__ explicit Layout(const Matrices<Unit>& matrices)
        : matrices(matrices),
          gate_stride((matrices.memory + TILE - 1) / TILE * TILE),
          out_stride((matrices.outputs + TILE - 1) / TILE * TILE),
          gate_size(matrices.live_rows * gate_stride) {}

    template <class Args>
    __device__ __forceinline__ explicit Layout(const Args& args) : Layout(Matrices<Unit>(args)) {}

    __device__ __forceinline__ uint32_t weights() const {
        return Matrices<Unit>::GATES * gate_size + matrices.memory * out_stride;
    }

    template <class Args>
    __device__ __forceinline__ uint32_t warp(const Args& args) const {
        return (3 * args.memory + args.outputs + args.channels) * LANES;
    }

    // A warp's, one after the other.
    template <class Args>
    __device__ __forceinline__ Rows rows(const Args& args, float* from) const {
        const uint32_t memory = args.memory * LANES, outputs = args.outputs * LANES;
        return {from, from + memory, from + 2 * memory, from + 3 * memory, from + 3 * memory + outputs};
    }
};

// A unit that reads its inputs behind what it feeds back.
struct Alone {
    static constexpr bool IS_SYNAPSE = false;
};

// A synapse of a network: its gates' sums start from what its source adds and what its own neuron adds, which are summed apart.
struct Synapse {
    static constexpr bool IS_SYNAPSE = true;
    struct Read {
        const float* rows;
        uint32_t count, input;  // how many, and which input is the first
    } pre, post;
};

// One window of environments: its rows, and the lane's place in the tile.
template <class Unit, int COLUMNS, class Reads = Alone>
struct Window : Rows {
    const Layout<Unit, COLUMNS>& layout;
    const float* weights;
    const float* behind;  // rows that a gate reads after the memory
    uint32_t behind_rows, environments, column;
    Reads reads;

    __device__ __forceinline__ Window(const Layout<Unit, COLUMNS>& layout, const float* weights, const Rows& rows, const Reads& reads = {})
        : Rows(rows),
          layout(layout),
          weights(weights),
          behind(Unit::FEEDBACK ? outputs : inputs),
          behind_rows(Reads::IS_SYNAPSE ? (Unit::FEEDBACK ? layout.matrices.outputs : 0)
                                        : layout.matrices.live_rows - layout.matrices.memory),
          environments(threadIdx.x % 8 * 4),
          column(threadIdx.x % 32 / 8 * COLUMNS),
          reads(reads) {}

    // sums += rows x weights, row by row.
    template <int GATES>
    __device__ __forceinline__ void accumulate(Sums<GATES, COLUMNS>& sums, const float* rows, uint32_t count,
                                               const float* const (&weights)[GATES], uint32_t stride) const {
#pragma unroll 4
        for (uint32_t k = 0; k < count; ++k) {
            const float4 four = *(const float4*)(rows + k * LANES + environments);
            const float x[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
            for (int gate = 0; gate < GATES; ++gate) {
                float w[COLUMNS];
                load(weights[gate] + k * stride, w);
#pragma unroll
                for (int c = 0; c < COLUMNS; ++c)
#pragma unroll
                    for (int e = 0; e < 4; ++e) sums.at[gate][c][e] = fmaf(x[e], w[c], sums.at[gate][c][e]);
            }
        }
    }

    // The weighted sums of gates `which` for the tile that starts at `tile`, over `rows` (memory, or r * h) and what is
    // behind.
    template <int GATES>
    __device__ __forceinline__ Sums<GATES, COLUMNS> gates(const int (&which)[GATES], const float* rows,
                                                          uint32_t tile) const {
        Sums<GATES, COLUMNS> sums = {};
        const uint32_t stride = layout.gate_stride, rows_of_memory = layout.matrices.memory;
        const float* of_memory[GATES];
        const float* of_behind[GATES];
#pragma unroll
        for (int gate = 0; gate < GATES; ++gate) {
            of_memory[gate] = weights + which[gate] * layout.gate_size + tile + column;
            of_behind[gate] = of_memory[gate] + rows_of_memory * stride;
        }
        if constexpr (Reads::IS_SYNAPSE) {
            const auto add = [&](Sums<GATES, COLUMNS>& sums, const Synapse::Read& read) {
                const float* of_inputs[GATES];
#pragma unroll
                for (int gate = 0; gate < GATES; ++gate)
                    of_inputs[gate] = of_behind[gate] + (behind_rows + read.input) * stride;
                accumulate<GATES>(sums, read.rows, read.count, of_inputs, stride);
            };
            Sums<GATES, COLUMNS> own = {};
            add(sums, reads.pre);
            add(own, reads.post);
#pragma unroll
            for (int gate = 0; gate < GATES; ++gate)
#pragma unroll
                for (int c = 0; c < COLUMNS; ++c)
#pragma unroll
                    for (int e = 0; e < 4; ++e) sums.at[gate][c][e] = sums.at[gate][c][e] + own.at[gate][c][e];
        }
        accumulate<GATES>(sums, rows, rows_of_memory, of_memory, stride);
        accumulate<GATES>(sums, behind, behind_rows, of_behind, stride);
        return sums;
    }

    // f(row index, column of the tile, environment of the four) for the lane's elements of a matrix with `columns`
    // columns, as offsets into its rows.
    template <class F>
    __device__ __forceinline__ void each(uint32_t tile, uint32_t columns, F f) const {
#pragma unroll
        for (int c = 0; c < COLUMNS; ++c) {
            if (tile + column + c >= columns) return;
#pragma unroll
            for (int e = 0; e < 4; ++e) f((tile + column + c) * LANES + environments + e, c, e);
        }
    }

    __device__ __forceinline__ void remember_gated() {
        const uint32_t columns = layout.matrices.memory;
        for (uint32_t tile = 0; tile < columns; tile += layout.TILE) {
            const Sums<2, COLUMNS> sums = gates<2>({0, 1}, memory, tile);
            each(tile, columns, [&](uint32_t at, int c, int e) {
                first[at] = num::sigmoid(sums.at[0][c][e]);
                second[at] = num::sigmoid(sums.at[1][c][e]) * memory[at];
            });
        }
        __syncwarp();
        for (uint32_t tile = 0; tile < columns; tile += layout.TILE) {
            const Sums<1, COLUMNS> sums = gates<1>({2}, second, tile);
            each(tile, columns, [&](uint32_t at, int c, int e) {
                memory[at] = fmaf(first[at], num::tanh(sums.at[0][c][e]) - memory[at], memory[at]);
            });
        }
        __syncwarp();
    }

    __device__ __forceinline__ void remember_lstm() {
        const uint32_t columns = layout.matrices.memory;
        for (uint32_t tile = 0; tile < columns; tile += layout.TILE) {
            Sums<2, COLUMNS> candidate = gates<2>({0, 2}, memory, tile);
            each(tile, columns, [&](uint32_t, int c, int e) {
                candidate.at[0][c][e] = num::sigmoid(candidate.at[0][c][e]) * num::tanh(candidate.at[1][c][e]);
            });
            const Sums<2, COLUMNS> sums = gates<2>({1, 3}, memory, tile);
            each(tile, columns, [&](uint32_t at, int c, int e) {
                first[at] = fmaf(num::sigmoid(sums.at[0][c][e]), first[at], candidate.at[0][c][e]);
                second[at] = num::sigmoid(sums.at[1][c][e]) * num::tanh(first[at]);
            });
        }
        __syncwarp();
        float* const next = second;
        second = memory;
        memory = next;
    }

    // With `noise`, rows of outputs, on the read-out if there is any.
    template <bool NOISY = false>
    __device__ __forceinline__ void step(const float* noise = nullptr) {
        if (Unit::LSTM) {
            remember_lstm();
        } else {
            remember_gated();
        }
        const uint32_t columns = layout.matrices.outputs;
        const float* const read_out = weights + Matrices<Unit>::GATES * layout.gate_size;
        for (uint32_t tile = 0; tile < columns; tile += layout.TILE) {
            Sums<1, COLUMNS> sums = {};
            const float* const of_memory[1] = {read_out + tile + column};
            accumulate<1>(sums, memory, layout.matrices.memory, of_memory, layout.out_stride);
            each(tile, columns, [&](uint32_t at, int c, int e) {
                const float sum = NOISY ? sums.at[0][c][e] + noise[at] : sums.at[0][c][e];
                outputs[at] = Unit::CLIP ? num::clip_unit(sum) : sum;
            });
        }
        __syncwarp();
    }
};

// A player's weights in shared memory, by all threads of the block.
template <class Unit, int COLUMNS, class Args>
__device__ __forceinline__ void make_weights(const Args& args, const Layout<Unit, COLUMNS>& layout, float* weights,
                                             uint32_t player, uint32_t trial) {
    for (uint32_t i = threadIdx.x; i < layout.weights(); i += blockDim.x) weights[i] = 0.0f;
    __syncthreads();
    perturb(
        args, layout.matrices, player, trial,
        [&](uint32_t gate, uint32_t row, uint32_t column, float value) {
            weights[gate * layout.gate_size + row * layout.gate_stride + column] = value;
        },
        [&](uint32_t row, uint32_t column, float value) {
            weights[Matrices<Unit>::GATES * layout.gate_size + row * layout.out_stride + column] = value;
        });
    __syncthreads();
}

}  // namespace exact
