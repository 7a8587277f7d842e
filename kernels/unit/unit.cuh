// What a unit is to the kernels: which memory, whether outputs are fed back and clipped; and where its matrices lie.
// Twin: src/unit/mod.rs.
#pragma once
#include "../rng.cuh"

struct Enu {
    static constexpr bool LSTM = false, FEEDBACK = true, CLIP = true;
};
struct Nfenu {
    static constexpr bool LSTM = false, FEEDBACK = false, CLIP = true;
};
struct Gru {
    static constexpr bool LSTM = false, FEEDBACK = false, CLIP = false;
};
struct Lstm {
    static constexpr bool LSTM = true, FEEDBACK = false, CLIP = false;
};

// x / of for x * of < 2^32, which the shared memory that the matrices must fit into sees to: a multiplication instead of
// twenty instructions.
struct Divisor {
    uint32_t of, reciprocal;  // ceil(2^32 / of)

    __device__ __forceinline__ explicit Divisor(uint32_t of) : of(of), reciprocal(0xFFFFFFFFu / of + 1) {}

    __device__ __forceinline__ uint32_t divide(uint32_t x) const { return of == 1 ? x : __umulhi(x, reciprocal); }
};

// The flat parameter vector as matrices: the gates, (memory | fed-back outputs | inputs) x memory each, then the read-out,
// memory x outputs. The rows of inputs that the task does not drive lie last in a gate and are not used.
template <class Unit>
struct Matrices {
    static constexpr uint32_t GATES = Unit::LSTM ? 4 : 3;
    uint32_t memory, outputs, gate_rows, live_rows;

    // `live` of the inputs are driven.
    __device__ __forceinline__ Matrices(uint32_t inputs, uint32_t live, uint32_t memory, uint32_t outputs)
        : memory(memory),
          outputs(outputs),
          gate_rows(memory + (Unit::FEEDBACK ? outputs : 0) + inputs),
          live_rows(memory + (Unit::FEEDBACK ? outputs : 0) + live) {}

    template <class Args>
    __device__ __forceinline__ explicit Matrices(const Args& args)
        : Matrices(args.unit_inputs, args.channels, args.memory, args.outputs) {}
};

// The parameters of the player of a number here: centre + spread * noise, or the centre itself.
struct Parameters {
    const float4* centre;
    const float4* sigmas;
    Mutation noise;
    float sigma;
    bool perturbed;

    template <class Args>
    __device__ __forceinline__ Parameters(const Args& args, uint32_t player, uint32_t trial)
        : noise(mutation(args.seeds[trial], args.step->generation, args.antithetic, args.first_player + player)),
          sigma(args.step->sigma),
          perturbed(args.first_player + player < args.population) {
        const size_t stride = (args.parameters + 3) / 4 * 4;
        centre = (const float4*)(args.centre + trial * stride);
        sigmas = args.sigmas ? (const float4*)(args.sigmas + trial * stride) : nullptr;
    }

    // Four of them, a Philox block.
    __device__ __forceinline__ void of(uint32_t block, float (&value)[4]) const {
        const float4 c = centre[block];
        value[0] = c.x, value[1] = c.y, value[2] = c.z, value[3] = c.w;
        if (!perturbed) return;
        const float4 n = normals(noise.row, block);
        const float4 s = sigmas ? sigmas[block] : make_float4(sigma, sigma, sigma, sigma);
        value[0] = fmaf(noise.sign * n.x, s.x, c.x);
        value[1] = fmaf(noise.sign * n.y, s.y, c.y);
        value[2] = fmaf(noise.sign * n.z, s.z, c.z);
        value[3] = fmaf(noise.sign * n.w, s.w, c.w);
    }
};

// A player's parameters over the threads of the block. Stores each with gate(which, row, column, value) or
// read_out(row, column, value).
template <class Unit, class Args, class Gate, class ReadOut>
__device__ __forceinline__ void perturb(const Args& args, const Matrices<Unit>& matrices, uint32_t player, uint32_t trial,
                                        Gate gate, ReadOut read_out) {
    const Parameters parameters(args, player, trial);
    const Divisor by_memory(matrices.memory), by_outputs(matrices.outputs);
    const uint32_t size = matrices.gate_rows * matrices.memory, gates = Matrices<Unit>::GATES;
    if (matrices.memory % 4 == 0 && matrices.outputs % 4 == 0) {
        // Four of a block lie in one row, and blocks of rows that are not driven are passed over.
        const uint32_t live = matrices.live_rows * matrices.memory / 4, rest = size / 4 - live;
        for (uint32_t i = threadIdx.x; i < gates * live + matrices.memory * matrices.outputs / 4; i += blockDim.x) {
            uint32_t matrix = 0, within = i;
#pragma unroll
            for (uint32_t g = 0; g < gates; ++g) {
                const bool beyond = within >= live && matrix == g;
                matrix += beyond;
                within -= beyond ? live : 0;
            }
            float value[4];
            parameters.of(i + matrix * rest, value);
            const bool is_gate = matrix < gates;
            const uint32_t row = is_gate ? by_memory.divide(4 * within) : by_outputs.divide(4 * within);
            const uint32_t column = 4 * within - row * (is_gate ? matrices.memory : matrices.outputs);
#pragma unroll
            for (uint32_t j = 0; j < 4; ++j) {
                if (is_gate) {
                    gate(matrix, row, column + j, value[j]);
                } else {
                    read_out(row, column + j, value[j]);
                }
            }
        }
        return;
    }
    for (uint32_t block = threadIdx.x; block < (args.parameters + 3) / 4; block += blockDim.x) {
        float value[4];
        parameters.of(block, value);
        // Where the first of the four lies; the others follow it.
        uint32_t matrix = 0, within = 4 * block;
#pragma unroll
        for (uint32_t i = 0; i < gates; ++i) {
            const bool beyond = within >= size && matrix == i;
            matrix += beyond;
            within -= beyond ? size : 0;
        }
        uint32_t row = matrix < gates ? by_memory.divide(within) : by_outputs.divide(within);
        uint32_t column = within - row * (matrix < gates ? matrices.memory : matrices.outputs);
#pragma unroll
        for (uint32_t i = 0; i < 4; ++i) {
            if (matrix == gates) {
                if (row < matrices.memory) read_out(row, column, value[i]);
            } else if (row < matrices.live_rows) {
                gate(matrix, row, column, value[i]);
            }
            const bool last_column = ++column == (matrix < gates ? matrices.memory : matrices.outputs);
            column = last_column ? 0 : column;
            row += last_column;
            const bool last_row = matrix < gates && row == matrices.gate_rows;
            row = last_row ? 0 : row;
            matrix += last_row;
        }
    }
}
