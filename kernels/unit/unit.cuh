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

// Row and column of element `index` of the flat parameter vector. Rows of a gate that no live input drives are left out
// of the row numbers' use by `live_rows`.
template <class Unit>
struct Matrices {
    static constexpr uint32_t GATES = Unit::LSTM ? 4 : 3;
    uint32_t memory, outputs, gate_rows, live_rows;

    __device__ __forceinline__ explicit Matrices(const RolloutArgs& args)
        : memory(args.memory),
          outputs(args.outputs),
          gate_rows(args.memory + feedback(args) + args.unit_inputs),
          live_rows(args.memory + feedback(args) + args.channels) {}

    __device__ static __forceinline__ uint32_t feedback(const RolloutArgs& args) {
        return Unit::FEEDBACK ? args.outputs : 0;
    }

    // Calls gate(which, row, column, value) or read_out(row, column, value).
    template <class Gate, class ReadOut>
    __device__ __forceinline__ void place(uint32_t index, float value, Gate gate, ReadOut read_out) const {
        const uint32_t size = gate_rows * memory;
        if (index < GATES * size) {
            const uint32_t row = index % size / memory;
            if (row < live_rows) gate(index / size, row, index % memory, value);
        } else {
            index -= GATES * size;
            read_out(index / outputs, index % outputs, value);
        }
    }
};

// centre + spread * noise of every parameter of a player, over the threads of the block; `place(index, value)` stores.
template <class Place>
__device__ __forceinline__ void perturb(const RolloutArgs& args, uint32_t player, uint32_t trial, Place place) {
    const size_t stride = (args.parameters + 3) / 4 * 4;
    const float4* const centre = (const float4*)(args.centre + trial * stride);
    const float4* const sigmas = args.sigmas ? (const float4*)(args.sigmas + trial * stride) : nullptr;
    const Mutation m = mutation(args.seeds[trial], args.step->generation, args.antithetic, player);
    const float sigma = args.step->sigma;
    for (uint32_t block = threadIdx.x; block < stride / 4; block += blockDim.x) {
        const float4 c = centre[block];
        float value[4] = {c.x, c.y, c.z, c.w};
        if (player < args.population) {
            const float4 n = normals(m.row, block);
            const float4 s = sigmas ? sigmas[block] : make_float4(sigma, sigma, sigma, sigma);
            value[0] = fmaf(m.sign * n.x, s.x, c.x);
            value[1] = fmaf(m.sign * n.y, s.y, c.y);
            value[2] = fmaf(m.sign * n.z, s.z, c.z);
            value[3] = fmaf(m.sign * n.w, s.w, c.w);
        }
        for (uint32_t i = 0; i < 4 && 4 * block + i < args.parameters; ++i) place(4 * block + i, value[i]);
    }
}
