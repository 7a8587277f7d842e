// One unit in open loop through a whole episode, fast mode: half-precision operands on tensor cores, sums and state in
// f32, hardware tanh. Twin in exact mode: rollout_exact.cu; the distance between the two is bounded by a test.
//
// A block is one player in some windows of 32 environments, a warp a window: two m16 tiles of environments, and the
// units' rows as k. Everything of a step stays in the warp's registers. Two neighbouring n8 accumulator tiles, rounded
// to halves, are exactly an A operand of the next product, so h, r * h and the outputs go from product to product
// without a shuffle. Weights are B operands in shared memory, stored in the order in which lanes read them, one 16-byte
// load for two k tiles, each used for both tiles of environments; the 1/2 of s(x) = 1/2 + 1/2 tanh(x/2) is folded into
// them, exactly. Order of a step: r, then z and candidate together tile by tile, so that few sums live at once.
//
// Limited by the special functions: 96 tanh an environment and step of the 16/32/16 unit are 96 x 8 cycles of a warp;
// 75 us for 1,024 x 32 x 100 steps. Next are the 104 products of a step (about 6.4 cycles each, half of that for the 24 of
// the inputs).
#include "kinds.cuh"
#include "ptx.cuh"

namespace rollout_fast {

// Blocks of four warps that a multiprocessor is to have registers for. Four warps a scheduler instead of three are worth the
// few words of local memory that 128 registers cost.
template <class Unit>
constexpr uint32_t blocks = Unit::LSTM ? 2 : 4;

using Tile = float[4];         // 16 environments x 8 columns, see ptx::mma_16x8x16
using Operand = uint32_t[4];   // 16 environments x 16 rows of halves

constexpr uint32_t HALVES = 0x38003800u;  // 1/2, twice

__device__ __forceinline__ float sigmoid_of_half(float half_x) { return fmaf(ptx::tanh_approx(half_x), 0.5f, 0.5f); }

// B operands: for gate g, column tile n and pair of k tiles p, 32 lanes x 4 words.
template <class Unit, int MEMORY>
struct Weights {
    static constexpr int GATES = Matrices<Unit>::GATES, COLUMN_TILES = MEMORY / 8, MEMORY_TILES = MEMORY / 16;
    static constexpr int ROW_TILES = MEMORY_TILES + (Unit::FEEDBACK ? 2 : 1);  // memory, 16 outputs, 16 inputs
    static constexpr int PAIRS = (ROW_TILES + 1) / 2, OUT_PAIRS = (MEMORY_TILES + 1) / 2;
    static constexpr int OUT_TILES = Unit::FEEDBACK ? 2 : 1;  // only channel 0 is asked for where nothing is fed back
    static constexpr int GATE_BLOCKS = GATES * COLUMN_TILES * PAIRS, BLOCKS = GATE_BLOCKS + OUT_TILES * OUT_PAIRS;
    static constexpr int WORDS = BLOCKS * 128;

    uint4* blocks;

    // Row k (in tiles) and column of a matrix whose blocks start at `first`.
    __device__ __forceinline__ void put(int first, int pairs, uint32_t k, uint32_t column, float value) const {
        const uint32_t tile = k / 16, lane = column % 8 * 4 + k % 8 / 2;
        const uint32_t word = tile % 2 * 2 + k % 16 / 8;
        const uint32_t block = first + column / 8 * pairs + tile / 2;
        ((uint16_t*)blocks)[((block * 32 + lane) * 4 + word) * 2 + k % 2] = (uint16_t)ptx::pack_half2(value, 0.0f);
    }

    __device__ __forceinline__ void put_gate(uint32_t memory, uint32_t outputs, uint32_t gate, uint32_t row,
                                             uint32_t column, float value) const {
        // Gates whose function is s take half of their argument.
        const bool sigmoid = Unit::LSTM ? gate != 2 : gate < 2;
        uint32_t k = row;
        if (row >= memory) k = MEMORY + row - memory;
        if (Unit::FEEDBACK && row >= memory + outputs) k = MEMORY + 16 + row - memory - outputs;
        put(gate * COLUMN_TILES * PAIRS, PAIRS, k, column, sigmoid ? 0.5f * value : value);
    }

    __device__ __forceinline__ void put_read_out(uint32_t row, uint32_t column, float value) const {
        if (column < 8 * OUT_TILES) put(GATE_BLOCKS, OUT_PAIRS, row, column, value);
    }

    __device__ __forceinline__ uint4 get(int block) const { return blocks[block * 32 + threadIdx.x % 32]; }
};

// The state of 32 environments, spread over a warp.
template <class Unit, int MEMORY>
struct Window {
    using W = Weights<Unit, MEMORY>;
    static constexpr int TILES = W::COLUMN_TILES;

    W weights;
    float memory[2][TILES][4] = {};
    float cell[2][Unit::LSTM ? TILES : 1][4] = {};
    Operand rows[2][W::ROW_TILES] = {};  // memory, fed-back outputs, inputs

    __device__ __forceinline__ Operand& inputs(int m) { return rows[m][W::ROW_TILES - 1]; }

    // Of the inputs, the last tile of a gate's rows, no more than half is driven.
    template <int ROW_TILES>
    __device__ static __forceinline__ void add(Tile& sums, const Operand& rows, int tile, uint32_t first, uint32_t second) {
        if (ROW_TILES == W::ROW_TILES && tile == ROW_TILES - 1) {
            ptx::mma_16x8x8(sums, rows, first);
        } else {
            ptx::mma_16x8x16(sums, rows, first, second);
        }
    }

    // sums = operands x the blocks of one column tile; `k(m, tile)` gives the operand.
    template <int ROW_TILES, class K>
    __device__ __forceinline__ void product(Tile (&sums)[2], int first_block, K k) const {
#pragma unroll
        for (int m = 0; m < 2; ++m)
#pragma unroll
            for (int i = 0; i < 4; ++i) sums[m][i] = 0.0f;
#pragma unroll
        for (int pair = 0; pair < (ROW_TILES + 1) / 2; ++pair) {
            const uint4 w = weights.get(first_block + pair);
#pragma unroll
            for (int m = 0; m < 2; ++m) {
                add<ROW_TILES>(sums[m], k(m, 2 * pair), 2 * pair, w.x, w.y);
                if (2 * pair + 1 < ROW_TILES) add<ROW_TILES>(sums[m], k(m, 2 * pair + 1), 2 * pair + 1, w.z, w.w);
            }
        }
    }

    __device__ __forceinline__ void gate(Tile (&sums)[2], int gate, int tile, const Operand (&of_memory)[2][MEMORY / 16]) const {
        product<W::ROW_TILES>(sums, (gate * TILES + tile) * W::PAIRS, [&](int m, int k) -> const Operand& {
            return k < W::MEMORY_TILES ? of_memory[m][k < W::MEMORY_TILES ? k : 0] : rows[m][k];
        });
    }

    // Two column tiles of values become one operand; `half` says which of the two this is.
    __device__ static __forceinline__ void pack(Operand& to, int half, const float (&tile)[4]) {
        to[2 * half] = ptx::pack_half2(tile[0], tile[1]);
        to[2 * half + 1] = ptx::pack_half2(tile[2], tile[3]);
    }

    // The rows of the memory as they are before the step.
    __device__ __forceinline__ void keep_memory(Operand (&old)[2][MEMORY / 16]) const {
#pragma unroll
        for (int m = 0; m < 2; ++m)
#pragma unroll
            for (int k = 0; k < W::MEMORY_TILES; ++k)
#pragma unroll
                for (int i = 0; i < 4; ++i) old[m][k][i] = rows[m][k][i];
    }

    __device__ __forceinline__ void remember_gated() {
        Operand old[2][MEMORY / 16], reset[2][MEMORY / 16];
        keep_memory(old);
#pragma unroll
        for (int tile = 0; tile < TILES; ++tile) {
            Tile r[2];
            gate(r, 1, tile, old);
#pragma unroll
            for (int m = 0; m < 2; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) r[m][i] = ptx::tanh_approx(r[m][i]);
                // r * h in halves, which are what the product takes.
                Operand& to = reset[m][tile / 2];
                pack(to, tile % 2, r[m]);
#pragma unroll
                for (int i = 2 * (tile % 2); i < 2 * (tile % 2) + 2; ++i)
                    to[i] = ptx::multiply_half2(ptx::fma_half2(to[i], HALVES, HALVES), old[m][tile / 2][i]);
            }
        }
#pragma unroll
        for (int tile = 0; tile < TILES; ++tile) {
            Tile z[2], c[2];
            gate(z, 0, tile, old);
            gate(c, 2, tile, reset);
#pragma unroll
            for (int m = 0; m < 2; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& h = memory[m][tile][i];
                    h = fmaf(sigmoid_of_half(z[m][i]), ptx::tanh_approx(c[m][i]) - h, h);
                }
                pack(rows[m][tile / 2], tile % 2, memory[m][tile]);
            }
        }
    }

    __device__ __forceinline__ void remember_lstm() {
        Operand old[2][MEMORY / 16];
        keep_memory(old);
#pragma unroll
        for (int tile = 0; tile < TILES; ++tile) {
            Tile in[2], forget[2], candidate[2], exposure[2];
            gate(in, 0, tile, old);
            gate(forget, 1, tile, old);
            gate(candidate, 2, tile, old);
            gate(exposure, 3, tile, old);
#pragma unroll
            for (int m = 0; m < 2; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& c = cell[m][Unit::LSTM ? tile : 0][i];
                    const float added = sigmoid_of_half(in[m][i]) * ptx::tanh_approx(candidate[m][i]);
                    c = fmaf(sigmoid_of_half(forget[m][i]), c, added);
                    memory[m][tile][i] = sigmoid_of_half(exposure[m][i]) * ptx::tanh_approx(c);
                }
                pack(rows[m][tile / 2], tile % 2, memory[m][tile]);
            }
        }
    }

    // One step; output channel 0 of environment e goes to answer[e].
    __device__ __forceinline__ void step(float* answer) {
        if constexpr (Unit::LSTM) {
            remember_lstm();
        } else {
            remember_gated();
        }
#pragma unroll
        for (int tile = 0; tile < W::OUT_TILES; ++tile) {
            Tile out[2];
            product<W::MEMORY_TILES>(out, W::GATE_BLOCKS + tile * W::OUT_PAIRS,
                                     [&](int m, int k) -> const Operand& { return rows[m][k]; });
#pragma unroll
            for (int m = 0; m < 2; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) out[m][i] = Unit::CLIP ? num::clip_unit(out[m][i]) : out[m][i];
                if (Unit::FEEDBACK) pack(rows[m][W::MEMORY_TILES], tile, out[m]);
                if (tile == 0 && threadIdx.x % 4 == 0) {
                    answer[16 * m + threadIdx.x % 32 / 4] = out[m][0];
                    answer[16 * m + threadIdx.x % 32 / 4 + 8] = out[m][2];
                }
            }
        }
    }
};

template <class Unit, class Fitness, int MEMORY>
__device__ __forceinline__ void play(const RolloutArgs& args) {
    using W = Weights<Unit, MEMORY>;
    const uint32_t trial = blockIdx.y, players = args.players, player = blockIdx.x % players;
    if (*args.halted) return;
    SHARED(shared);
    const W weights = {(uint4*)shared};
    for (uint32_t i = threadIdx.x; i < W::WORDS; i += blockDim.x) ((uint32_t*)shared)[i] = 0;
    __syncthreads();
    const Matrices<Unit> matrices(args);
    perturb(
        args, matrices, player, trial,
        [&](uint32_t gate, uint32_t row, uint32_t column, float value) {
            weights.put_gate(matrices.memory, matrices.outputs, gate, row, column, value);
        },
        [&](uint32_t row, uint32_t column, float value) { weights.put_read_out(row, column, value); });
    __syncthreads();

    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const uint32_t first = (blockIdx.x / players * (blockDim.x / 32) + warp) * LANES;
    if (first >= args.lanes) return;
    // Two answers in turn, so that one barrier a step is enough.
    float* const answers = (float*)shared + W::WORDS + warp * 2 * LANES;
    Window<Unit, MEMORY> window = {weights};
    const float* input = args.inputs + ((size_t)trial * args.length * args.channels + 2 * t) * args.lanes + first + g;
    Fitness fitness(args, args.target + (size_t)trial * Fitness::target_length(args), first + lane);
    for (uint32_t step = 0; step < args.length; ++step, input += args.channels * args.lanes) {
        // Channels 2t and 2t + 1 of environments g and g + 8 of a tile.
        const uint32_t channel = 2 * (ptx::lane() % 4);
#pragma unroll
        for (int m = 0; m < 2; ++m) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                const uint32_t environment = 16 * m + 8 * i;
                const float low = channel < args.channels ? input[environment] : 0.0f;
                const float high = channel + 1 < args.channels ? input[args.lanes + environment] : 0.0f;
                window.inputs(m)[i] = ptx::pack_half2(low, high);
            }
        }
        float* const answer = answers + step % 2 * LANES;
        window.step(answer);
        __syncwarp();
        fitness.step((int32_t)step, answer[lane]);
    }
    args.fitness[((size_t)trial * players + player) * args.lanes + first + lane] = fitness.finish();
}

}  // namespace rollout_fast

// Named rollout_fast_<unit>_<task>_<memory, in whole tiles>.
#define ROLLOUT(unit, Unit, task, Fitness, memory) \
    KERNEL(rollout_fast_##unit##_##task##_##memory, RolloutArgs, 128, rollout_fast::blocks<Unit>) { \
        rollout_fast::play<Unit, Fitness, memory>(args); \
    }
#define SIZES(unit, Unit, task, Fitness) \
    ROLLOUT(unit, Unit, task, Fitness, 16) \
    ROLLOUT(unit, Unit, task, Fitness, 32)
EACH_UNIT_AND_TASK(SIZES)
#undef SIZES
#undef ROLLOUT
