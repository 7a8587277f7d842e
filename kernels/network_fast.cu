// A network of units in closed loop with its maze through a whole episode, fast mode: half-precision operands on tensor
// cores, sums and state in f32, hardware tanh. Twin in exact mode: network_exact.cu; the distance between the two is
// bounded by tests/network_fast.rs.
//
// A block is one player (an offspring, or the centre behind them) in some environments: grid (players x groups, trials),
// group k of G plays the k-th part of a player's environments. Four warps a block; they make the player's weights together
// and then take one environment after another, each warp alone through the whole episode, so a dead agent frees its warp
// and there is no barrier but the warp's own. Dynamic shared memory: see Layout; the host repeats its sizes.
//
// Everything of a tick goes from product to product in registers. Synapses are rows, three m16 tiles of 48: two
// neighbouring n8 tiles of sums, rounded to halves, are an A operand of the next product. Weights are B operands in shared
// memory, in the order in which lanes read them, 16 bytes for two k tiles, each used for all three tiles of synapses.
// Neurons are columns, one n8 tile of eight, and their weights A operands: as rows they would fill less than half a tile,
// and tanh is what a tick is made of. What a synapse reads is a row of 16 bytes for each half of its input, of its source
// and of its neuron: ldmatrix takes a row's address from every lane, so wiring is a table of addresses and gathering costs
// one instruction a tile. Adding up by neuron is a product with a matrix of zeros and ones. movmatrix turns what has to
// change between rows and columns.
//
// Order of a tick: r, then candidate and z column tile by column tile, so that few sums live at once; then the read-out,
// the sums, the neurons. s(x) y = (tanh(x/2) y + y) / 2: the 1/2 inside is folded into the weights of s, the one outside into
// the weights of what reads r h, both exactly; r h and the outputs are finished as pairs of halves.
//
// Limited by the special functions. A tick of the paper's network (48 synapses, 6 neurons, 16/32/16) is 168 tanh of a
// warp, 8 cycles each: 1,344 cycles of a scheduler beside 188 products (1,200 cycles at the rate assumed for mma.sync), 754
// instructions, and 275 cycles of the shared memory that four schedulers share. 4.2 ms for 1,024 x 8 x 400 ticks on 132
// multiprocessors at 1.98 GHz if no other waits; 5.5 to 6.5 ms expected. Not measured on a device.
#include "network/chromosomes.cuh"
#include "ptx.cuh"
#include "world/t_maze.cuh"

namespace network_fast {

constexpr int MEMORY_TILES = 2, COLUMN_TILES = 4, SYNAPSE_TILES = 3;  // 32 cells as k16 or n8 tiles; 48 synapses
constexpr uint32_t MEMORY = 16 * MEMORY_TILES, CHANNELS = 16, SYNAPSES = 16 * SYNAPSE_TILES, SOURCES = 16;

using Tile = float[4];        // of sums, see ptx::mma_16x8x16
using Operand = uint32_t[4];  // 16 x 16 halves
using Columns = uint32_t[2];  // 16 x 8 halves, a B operand

__device__ __forceinline__ void clear(float (&tile)[4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) tile[i] = 0.0f;
}

// Of two neighbours.
__device__ __forceinline__ uint32_t tanh_half2(float low, float high) {
    return ptx::pack_half2(ptx::tanh_approx(low), ptx::tanh_approx(high));
}

// Where channels lie among 16 slots. A narrow synapse reads one k16 tile, the first half of its source's channels in slots
// 0 ... and the second half of its neuron's in slots 8 ...; a wide one reads a tile of each.
template <bool WIDE>
struct Slots {
    uint32_t channels, half;

    __device__ __forceinline__ explicit Slots(const NetworkArgs& args)
        : channels(args.channels), half(args.channels / 2) {}

    __device__ __forceinline__ uint32_t of(uint32_t channel) const {
        return WIDE || channel < half ? channel : 8 + channel - half;
    }

    // CHANNELS where there is none.
    __device__ __forceinline__ uint32_t channel(uint32_t slot) const {
        const uint32_t channel = WIDE || slot < 8 ? slot : half + slot - 8;
        return channel < channels && of(channel) == slot ? channel : CHANNELS;
    }
};

// B operands of the synapses: for gate g, column tile n and pair of k tiles p, 32 lanes x 4 words.
template <class Unit, bool WIDE>
struct SynapseWeights {
    static constexpr int GATES = Matrices<Unit>::GATES, FEEDBACK = Unit::FEEDBACK;
    static constexpr int ROW_TILES = MEMORY_TILES + FEEDBACK + (WIDE ? 2 : 1), PAIRS = (ROW_TILES + 1) / 2;
    static constexpr int READ_OUT = GATES * COLUMN_TILES * PAIRS, BLOCKS = READ_OUT + 2, WORDS = BLOCKS * 128;
    static constexpr uint32_t INPUT_ROW = 16 * (MEMORY_TILES + FEEDBACK);

    __device__ __forceinline__ static void put(uint32_t* to, int first, int pairs, uint32_t k, uint32_t column, float value) {
        const uint32_t tile = k / 16, lane = column % 8 * 4 + k % 8 / 2, word = tile % 2 * 2 + k % 16 / 8;
        const uint32_t block = first + column / 8 * pairs + tile / 2;
        ((uint16_t*)to)[((block * 32 + lane) * 4 + word) * 2 + k % 2] = (uint16_t)ptx::pack_half2(value, 0.0f);
    }

    __device__ __forceinline__ static void put_gate(uint32_t* to, uint32_t gate, uint32_t k, uint32_t column, float value) {
        put(to, gate * COLUMN_TILES * PAIRS, PAIRS, k, column, value);
    }

    __device__ __forceinline__ static void put_read_out(uint32_t* to, uint32_t k, uint32_t column, float value) {
        put(to, READ_OUT, 1, k, column, value);
    }
};

// A operands of the neurons, transposed: columns of a gate are rows here.
template <class Unit>
struct NeuronWeights {
    static constexpr int GATES = Matrices<Unit>::GATES, FEEDBACK = Unit::FEEDBACK;
    static constexpr int ROW_TILES = MEMORY_TILES + FEEDBACK + 1;
    static constexpr int READ_OUT = GATES * MEMORY_TILES * ROW_TILES, BLOCKS = READ_OUT + MEMORY_TILES, WORDS = BLOCKS * 128;
    static constexpr uint32_t INPUT_ROW = 16 * (MEMORY_TILES + FEEDBACK);

    __device__ __forceinline__ static void put(uint32_t* to, int first, int tiles, uint32_t k, uint32_t column, float value) {
        const uint32_t lane = column % 8 * 4 + k % 8 / 2, word = column % 16 / 8 + k % 16 / 8 * 2;
        const uint32_t block = first + column / 16 * tiles + k / 16;
        ((uint16_t*)to)[((block * 32 + lane) * 4 + word) * 2 + k % 2] = (uint16_t)ptx::pack_half2(value, 0.0f);
    }

    __device__ __forceinline__ static void put_gate(uint32_t* to, uint32_t gate, uint32_t k, uint32_t column, float value) {
        put(to, gate * MEMORY_TILES * ROW_TILES, ROW_TILES, k, column, value);
    }

    __device__ __forceinline__ static void put_read_out(uint32_t* to, uint32_t k, uint32_t column, float value) {
        put(to, READ_OUT, MEMORY_TILES, k, column, value);
    }
};

// The environments that a block plays with its player.
struct Lot {
    uint32_t player, next, end;
};

// The one that a warp plays. It lies in shared memory, like all that is not asked for in every tick: registers are short.
struct Episode {
    uint32_t environment, action;
    Agent agent;
};

// Shared memory in words. Of the block: weights, who adds to whom, which rows a lane names, the lot. Of a warp: noise, what
// sources put out, sums of the output neurons, the neurons' state, the episode.
template <class Unit, bool WIDE>
struct Layout {
    static constexpr int NEURON_TILES = WIDE ? 2 : 1;
    static constexpr uint32_t NEURONS = SynapseWeights<Unit, WIDE>::WORDS, SUMS = NEURONS + NeuronWeights<Unit>::WORDS;
    static constexpr uint32_t PRE = SUMS + SYNAPSE_TILES * 128, POST = PRE + 128;
    static constexpr uint32_t LOT = POST + (WIDE ? 128 : 0), BLOCK = LOT + 4;
    static constexpr uint32_t NEURON_NOISE = SYNAPSE_TILES * 128, ROWS = NEURON_NOISE + NEURON_TILES * 128;
    // Halves of rows, 16 bytes each: first the lower halves of all sources, then the upper ones. A neuron tile is
    // written whole, and the last row stays zero, so there are more than SOURCES.
    static constexpr uint32_t HALF = 2 * SOURCES, MOTORS = ROWS + 2 * HALF * 4, KEPT = MOTORS + 16;
    static constexpr uint32_t EPISODE = KEPT + 256 * NEURON_TILES, WARP = EPISODE + (sizeof(Episode) + 15) / 16 * 4;
};

// 48 synapses: rows are synapses, columns are cells or channels.
template <class Unit, bool WIDE>
struct Synapses {
    using W = SynapseWeights<Unit, WIDE>;
    static constexpr int OUT = MEMORY_TILES, INPUTS = MEMORY_TILES + W::FEEDBACK;

    float state[SYNAPSE_TILES][COLUMN_TILES][4] = {};  // memory; the LSTM's cell
    Operand rows[SYNAPSE_TILES][W::ROW_TILES] = {};    // memory (LSTM: twice that), fed-back outputs, inputs
    Operand out[SYNAPSE_TILES] = {};

    // sums = operands x the blocks of one column tile; `k(m, tile)` gives the operand. The compiler loads early what is
    // not `in_order`.
    template <int ROW_TILES, class K>
    __device__ __forceinline__ static void product(Tile (&sums)[SYNAPSE_TILES], const uint4* blocks, K k,
                                                   bool in_order = false) {
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m) clear(sums[m]);
#pragma unroll
        for (int pair = 0; pair < (ROW_TILES + 1) / 2; ++pair) {
            const uint4 w = in_order ? ptx::load_in_order(blocks + pair * 32) : blocks[pair * 32];
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m) {
                ptx::mma_16x8x16(sums[m], k(m, 2 * pair), w.x, w.y);
                if (2 * pair + 1 < ROW_TILES) ptx::mma_16x8x16(sums[m], k(m, 2 * pair + 1), w.z, w.w);
            }
        }
    }

    __device__ __forceinline__ void gate(Tile (&sums)[SYNAPSE_TILES], const uint4* weights, int gate, int tile,
                                         const Operand (*reset)[MEMORY_TILES] = nullptr) const {
        const auto operand = [&](int m, int k) -> const Operand& {
            return reset && k < MEMORY_TILES ? reset[m][k < MEMORY_TILES ? k : 0] : rows[m][k];
        };
        // Without feedback nvcc would load the candidate's weights so early that registers are spilled.
        const bool in_order = reset && !Unit::FEEDBACK;
        product<W::ROW_TILES>(sums, weights + (gate * COLUMN_TILES + tile) * W::PAIRS * 32, operand, in_order);
    }

    __device__ __forceinline__ void remember_gated(const uint4* weights) {
        Operand reset[SYNAPSE_TILES][MEMORY_TILES];  // 2 r h
#pragma unroll
        for (int tile = 0; tile < COLUMN_TILES; ++tile) {
            Tile r[SYNAPSE_TILES];
            gate(r, weights, 1, tile);
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m) {
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const uint32_t h = rows[m][tile / 2][tile % 2 * 2 + i];
                    reset[m][tile / 2][tile % 2 * 2 + i] = ptx::fma_half2(tanh_half2(r[m][2 * i], r[m][2 * i + 1]), h, h);
                }
            }
        }
#pragma unroll
        for (int tile = 0; tile < COLUMN_TILES; ++tile) {
            Tile z[SYNAPSE_TILES], d[SYNAPSE_TILES];
            gate(d, weights, 2, tile, reset);
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m)
#pragma unroll
                for (int i = 0; i < 4; ++i) d[m][i] = ptx::tanh_approx(d[m][i]) - state[m][tile][i];
            gate(z, weights, 0, tile);
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& h = state[m][tile][i];
                    h = fmaf(fmaf(ptx::tanh_approx(z[m][i]), d[m][i], d[m][i]), 0.5f, h);
                }
            }
        }
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m)
#pragma unroll
            for (int tile = 0; tile < COLUMN_TILES; ++tile)
#pragma unroll
                for (int i = 0; i < 2; ++i)
                    rows[m][tile / 2][tile % 2 * 2 + i] =
                        ptx::pack_half2(state[m][tile][2 * i], state[m][tile][2 * i + 1]);
    }

    __device__ __forceinline__ void remember_lstm(const uint4* weights) {
        Operand next[SYNAPSE_TILES][MEMORY_TILES];
#pragma unroll
        for (int tile = 0; tile < COLUMN_TILES; ++tile) {
            Tile in[SYNAPSE_TILES], forget[SYNAPSE_TILES];
            gate(in, weights, 0, tile);
            {
                Tile candidate[SYNAPSE_TILES];
                gate(candidate, weights, 2, tile);
#pragma unroll
                for (int m = 0; m < SYNAPSE_TILES; ++m) {
#pragma unroll
                    for (int i = 0; i < 4; ++i) {
                        const float g = ptx::tanh_approx(candidate[m][i]);
                        in[m][i] = fmaf(ptx::tanh_approx(in[m][i]), g, g);
                    }
                }
            }
            gate(forget, weights, 1, tile);
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& c = state[m][tile][i];
                    c = 0.5f * fmaf(ptx::tanh_approx(forget[m][i]), c, c + in[m][i]);
                }
            }
            Tile exposure[SYNAPSE_TILES];
            gate(exposure, weights, 3, tile);
#pragma unroll
            for (int m = 0; m < SYNAPSE_TILES; ++m) {
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const uint32_t c = tanh_half2(state[m][tile][2 * i], state[m][tile][2 * i + 1]);
                    next[m][tile / 2][tile % 2 * 2 + i] =
                        ptx::fma_half2(tanh_half2(exposure[m][2 * i], exposure[m][2 * i + 1]), c, c);
                }
            }
        }
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m)
#pragma unroll
            for (int k = 0; k < MEMORY_TILES; ++k)
#pragma unroll
                for (int i = 0; i < 4; ++i) rows[m][k][i] = next[m][k][i];
    }

    __device__ __forceinline__ void step(const uint4* weights, const uint4* noise) {
        if constexpr (Unit::LSTM) {
            remember_lstm(weights);
        } else {
            remember_gated(weights);
        }
        Tile sums[2][SYNAPSE_TILES];
#pragma unroll
        for (int tile = 0; tile < 2; ++tile)
            product<MEMORY_TILES>(sums[tile], weights + (W::READ_OUT + tile) * 32,
                                  [&](int m, int k) -> const Operand& { return rows[m][k]; });
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m) {
            const uint4 n = noise[m * 32];
            const uint32_t added[4] = {n.x, n.y, n.z, n.w};
#pragma unroll
            for (int i = 0; i < 4; ++i) {
                const uint32_t o = ptx::pack_half2(sums[i / 2][m][i % 2 * 2], sums[i / 2][m][i % 2 * 2 + 1]);
                out[m][i] = Unit::CLIP ? ptx::add_half2_clipped(o, added[i]) : ptx::add_half2(o, added[i]);
                if (Unit::FEEDBACK) rows[m][OUT][i] = out[m][i];
            }
        }
    }
};

// Eight neurons a tile: rows are cells or channels, columns are neurons, so that no tanh is spent on half a tile of
// neurons that are not there.
template <class Unit, int TILES>
struct Neurons {
    using W = NeuronWeights<Unit>;
    static constexpr int OUT = MEMORY_TILES, INPUTS = MEMORY_TILES + W::FEEDBACK;

    float state[TILES][MEMORY_TILES][4];  // as in Synapses; between ticks it lies in shared memory
    Columns rows[TILES][W::ROW_TILES] = {};

    template <class F>
    __device__ __forceinline__ void each_tile(F f) {
#pragma unroll
        for (int n = 0; n < TILES; ++n)
#pragma unroll
            for (int k = 0; k < MEMORY_TILES; ++k) f(n * MEMORY_TILES + k, state[n][k]);
    }

    template <int ROW_TILES, class K>
    __device__ __forceinline__ static void product(Tile (&sums)[TILES], const uint4* blocks, K k) {
#pragma unroll
        for (int n = 0; n < TILES; ++n) clear(sums[n]);
#pragma unroll
        for (int tile = 0; tile < ROW_TILES; ++tile) {
            const uint4 w = blocks[tile * 32];
            const Operand a = {w.x, w.y, w.z, w.w};
#pragma unroll
            for (int n = 0; n < TILES; ++n) ptx::mma_16x8x16(sums[n], a, k(n, tile)[0], k(n, tile)[1]);
        }
    }

    __device__ __forceinline__ void gate(Tile (&sums)[TILES], const uint4* weights, int gate, int tile,
                                         const Columns (*reset)[MEMORY_TILES] = nullptr) const {
        product<W::ROW_TILES>(sums, weights + (gate * MEMORY_TILES + tile) * W::ROW_TILES * 32, [&](int n, int k) -> const Columns& {
            return reset && k < MEMORY_TILES ? reset[n][k < MEMORY_TILES ? k : 0] : rows[n][k];
        });
    }

    __device__ __forceinline__ void remember_gated(const uint4* weights) {
        Columns reset[TILES][MEMORY_TILES];
#pragma unroll
        for (int tile = 0; tile < MEMORY_TILES; ++tile) {
            Tile r[TILES];
            gate(r, weights, 1, tile);
#pragma unroll
            for (int n = 0; n < TILES; ++n) {
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const uint32_t h = rows[n][tile][i];
                    reset[n][tile][i] =
                        ptx::fma_half2(ptx::transpose_8x8(tanh_half2(r[n][2 * i], r[n][2 * i + 1])), h, h);
                }
            }
        }
#pragma unroll
        for (int tile = 0; tile < MEMORY_TILES; ++tile) {
            Tile z[TILES], c[TILES];
            gate(z, weights, 0, tile);
            gate(c, weights, 2, tile, reset);
#pragma unroll
            for (int n = 0; n < TILES; ++n) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& h = state[n][tile][i];
                    const float d = ptx::tanh_approx(c[n][i]) - h;
                    h = fmaf(fmaf(ptx::tanh_approx(z[n][i]), d, d), 0.5f, h);
                }
            }
        }
#pragma unroll
        for (int n = 0; n < TILES; ++n)
#pragma unroll
            for (int tile = 0; tile < MEMORY_TILES; ++tile)
#pragma unroll
                for (int i = 0; i < 2; ++i)
                    rows[n][tile][i] =
                        ptx::transpose_8x8(ptx::pack_half2(state[n][tile][2 * i], state[n][tile][2 * i + 1]));
    }

    __device__ __forceinline__ void remember_lstm(const uint4* weights) {
        Columns next[TILES][MEMORY_TILES];
#pragma unroll
        for (int tile = 0; tile < MEMORY_TILES; ++tile) {
            Tile in[TILES], forget[TILES], candidate[TILES], exposure[TILES];
            gate(in, weights, 0, tile);
            gate(forget, weights, 1, tile);
            gate(candidate, weights, 2, tile);
            gate(exposure, weights, 3, tile);
#pragma unroll
            for (int n = 0; n < TILES; ++n) {
#pragma unroll
                for (int i = 0; i < 4; ++i) {
                    float& c = state[n][tile][i];
                    const float g = ptx::tanh_approx(candidate[n][i]);
                    const float added = fmaf(ptx::tanh_approx(in[n][i]), g, g);
                    c = 0.5f * fmaf(ptx::tanh_approx(forget[n][i]), c, c + added);
                }
#pragma unroll
                for (int i = 0; i < 2; ++i) {
                    const uint32_t c = tanh_half2(state[n][tile][2 * i], state[n][tile][2 * i + 1]);
                    next[n][tile][i] = ptx::transpose_8x8(
                        ptx::fma_half2(tanh_half2(exposure[n][2 * i], exposure[n][2 * i + 1]), c, c));
                }
            }
        }
#pragma unroll
        for (int n = 0; n < TILES; ++n)
#pragma unroll
            for (int k = 0; k < MEMORY_TILES; ++k)
#pragma unroll
                for (int i = 0; i < 2; ++i) rows[n][k][i] = next[n][k][i];
    }

    // `put(n, i, word)` stores what neuron 8 n + lane / 4 puts out in slots 8 i + lane % 4 * 2 ...; slot 0 is added to
    // `motors`.
    template <class Put>
    __device__ __forceinline__ void step(const uint4* weights, const float4* noise, float2* motors, Put put) {
        if constexpr (Unit::LSTM) {
            remember_lstm(weights);
        } else {
            remember_gated(weights);
        }
        Tile out[TILES];
        product<MEMORY_TILES>(out, weights + W::READ_OUT * 32, [&](int n, int k) -> const Columns& { return rows[n][k]; });
#pragma unroll
        for (int n = 0; n < TILES; ++n) {
            const float4 of = noise[n * 32];
            const float added[4] = {of.x, of.y, of.z, of.w};
#pragma unroll
            for (int i = 0; i < 4; ++i)
                out[n][i] = Unit::CLIP ? ptx::add_clipped(out[n][i], added[i]) : out[n][i] + added[i];
            // Slot 0 lies in row 0.
            if (threadIdx.x % 32 < 4) {
                float2& sum = motors[4 * n + threadIdx.x % 4];
                sum = make_float2(sum.x + out[n][0], sum.y + out[n][1]);
            }
#pragma unroll
            for (int i = 0; i < 2; ++i)
                put(n, i, ptx::transpose_8x8(ptx::pack_half2(out[n][2 * i], out[n][2 * i + 1])));
        }
    }
};

// All that the block's warps share, over its threads.
template <class Unit, bool WIDE>
__device__ __forceinline__ void prepare(const NetworkArgs& args, uint32_t* shared) {
    using S = SynapseWeights<Unit, WIDE>;
    using N = NeuronWeights<Unit>;
    using L = Layout<Unit, WIDE>;
    const uint32_t players = args.players, player = blockIdx.x % players, trial = blockIdx.y;
    for (uint32_t i = threadIdx.x; i < L::BLOCK; i += blockDim.x) shared[i] = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
        const uint32_t groups = gridDim.x / players, share = (args.environments + groups - 1) / groups;
        const uint32_t first = blockIdx.x / players * share;
        *(Lot*)(shared + L::LOT) = {player, first, min(first + share, args.environments)};
    }
    const Slots<WIDE> slots(args);
    const Chromosomes<Unit> chromosomes(args);
    const uint32_t feedback_row = MEMORY, channels = args.channels;
    const auto put_synapse = [&](uint32_t gate, uint32_t row, uint32_t column, float value) {
        const auto put = [&](uint32_t k) { S::put_gate(shared, gate, k, column, value); };
        if (row < args.memory) return put(row);
        row -= args.memory;
        if (Unit::FEEDBACK) {
            if (row < channels) return put(feedback_row + slots.of(row));
            row -= channels;
        }
        if (!WIDE) return put(S::INPUT_ROW + slots.of(row));
        const bool concat = args.synapse_input == INPUT_CONCAT, sum = args.synapse_input == INPUT_SUM;
        const bool post = row >= (concat ? channels : slots.half);
        if (sum || !post) put(S::INPUT_ROW + row);
        if (sum || post) put(S::INPUT_ROW + 16 + (concat ? row - channels : row));
    };
    const auto put_neuron = [&](uint32_t gate, uint32_t row, uint32_t column, float value) {
        const auto put = [&](uint32_t k) { N::put_gate(shared + L::NEURONS, gate, k, column, value); };
        if (row < args.memory) return put(row);
        row -= args.memory;
        if (Unit::FEEDBACK) {
            if (row < channels) return put(feedback_row + slots.of(row));
            row -= channels;
        }
        put(N::INPUT_ROW + slots.of(row));
    };
    const bool one = args.neuron_parameters == 0;
    chromosomes.perturb(
        args, player, trial,
        [&](uint32_t neuron, uint32_t gate, uint32_t row, uint32_t column, float value) {
            // Gates whose function is s take half of their argument, and what is kept as its double counts half.
            const bool sigmoid = Unit::LSTM ? gate != 2 : gate < 2;
            const bool doubled = row < args.memory && (Unit::LSTM || gate == 2);
            value *= (sigmoid ? 0.5f : 1.0f) * (doubled ? 0.5f : 1.0f);
            if (one || !neuron) put_synapse(gate, row, column, value);
            if (one || neuron) put_neuron(gate, row, column, value);
        },
        [&](uint32_t neuron, uint32_t row, uint32_t column, float value) {
            value *= Unit::LSTM ? 0.5f : 1.0f;
            if (one || !neuron) S::put_read_out(shared, row, slots.of(column), value);
            if (one || neuron) N::put_read_out(shared + L::NEURONS, row, slots.of(column), value);
        });
    for (uint32_t synapse = threadIdx.x; synapse < SYNAPSES; synapse += blockDim.x) {
        uint32_t source = L::HALF - 1, neuron = source - SENSORS;  // a row that stays zero
        if (synapse < args.synapses) {
            source = args.sources[synapse];
            for (neuron = 0; synapse >= args.first[neuron + 1];) ++neuron;
            // A one where column `synapse` adds to row `neuron`: an A operand for every tile of synapses.
            const uint32_t k = synapse % 16, lane = neuron % 8 * 4 + k % 8 / 2, word = neuron / 8 + k / 8 * 2;
            ((uint16_t*)(shared + L::SUMS))[((synapse / 16 * 32 + lane) * 4 + word) * 2 + k % 2] =
                (uint16_t)ptx::pack_half2(1.0f, 0.0f);
        }
        // Half rows in bytes, by the lane that names them: its inputs are a row of the source and one of the neuron, or a
        // half of either.
        for (uint32_t upper = 0; upper < 2; ++upper) {
            const uint32_t row = upper * L::HALF + SENSORS + neuron, at = (upper * 16 + synapse % 16) * 4 + synapse / 16;
            shared[L::PRE + at] = 16 * (upper && !WIDE ? row : upper * L::HALF + source);
            if (WIDE) shared[L::POST + at] = 16 * row;
        }
    }
    __syncthreads();
}

// A warp's part of the episodes.
template <class Unit, bool WIDE>
struct Player {
    using L = Layout<Unit, WIDE>;
    static constexpr int NEURON_TILES = L::NEURON_TILES;

    const NetworkArgs& args;
    uint32_t* const block;  // shared memory
    uint32_t* const warp;
    Lot* const lot;
    Episode* const episode;
    const uint32_t lane;

    __device__ __forceinline__ Player(const NetworkArgs& args, uint32_t* shared)
        : args(args),
          block(shared),
          warp(shared + L::BLOCK + threadIdx.x / 32 * L::WARP),
          lot((Lot*)(shared + L::LOT)),
          episode((Episode*)(warp + L::EPISODE)),
          lane(threadIdx.x % 32) {}

    // The next environment of the block's, if there is one left.
    __device__ __forceinline__ bool take() const {
        __syncwarp();
        if (lane == 0) episode->environment = atomicAdd(&lot->next, 1u);
        __syncwarp();
        return episode->environment < lot->end;
    }

    // Noise of the episode, silence everywhere, an agent at the start.
    __device__ __forceinline__ void begin() const {
        const Slots<WIDE> slots(args);
        const uint32_t g = lane / 4, t = lane % 4;
        const size_t index = (size_t)blockIdx.y * args.environments + episode->environment;
        const float* const noise = args.noise + index * (args.synapses + args.neurons) * args.channels;
        const auto of = [&](uint32_t first, uint32_t units, uint32_t unit, uint32_t slot) {
            const uint32_t channel = slots.channel(slot);
            return unit < units && channel < CHANNELS ? noise[(first + unit) * args.channels + channel] : 0.0f;
        };
#pragma unroll 1
        for (uint32_t i = 0; i < SYNAPSE_TILES * 4; ++i) {
            const uint32_t synapse = i / 4 * 16 + i % 2 * 8 + g, slot = i % 4 / 2 * 8 + 2 * t;
            const float low = of(0, args.synapses, synapse, slot), high = of(0, args.synapses, synapse, slot + 1);
            warp[(i / 4 * 32 + lane) * 4 + i % 4] = ptx::pack_half2(low, high);
        }
#pragma unroll 1
        for (uint32_t i = 0; i < NEURON_TILES * 4; ++i)
            ((float*)warp)[L::NEURON_NOISE + (i / 4 * 32 + lane) * 4 + i % 4] =
                of(args.synapses, args.neurons, i / 4 * 8 + 2 * t + i % 2, i % 4 / 2 * 8 + g);
        for (uint32_t i = lane; i < 2 * L::HALF; i += 32) ((uint4*)(warp + L::ROWS))[i] = make_uint4(0, 0, 0, 0);
        for (uint32_t i = lane; i < 64 * NEURON_TILES; i += 32) ((uint4*)(warp + L::KEPT))[i] = make_uint4(0, 0, 0, 0);
        if (lane == 0) {
            episode->action = 0;
            episode->agent = Agent(args, args.mazes[index]);
        }
        __syncwarp();
    }

    // Senses into the sources' rows; the motors' sums begin at zero.
    __device__ __forceinline__ void sense() const {
        const Slots<WIDE> slots(args);
        const uint32_t senses = episode->agent.senses();
        const uint32_t slot = lane < SENSORS - 1 ? 0 : slots.of(lane - 2), source = lane < SENSORS - 1 ? lane : SENSORS - 1;
        if (lane < 16) ((float*)warp)[L::MOTORS + lane] = 0.0f;
        if (lane <= SENSORS)
            ((uint16_t*)(warp + L::ROWS))[(slot / 8 * L::HALF + source) * 8 + slot % 8] =
                (uint16_t)ptx::pack_half2((float)(int32_t)(senses >> lane & 1), 0.0f);
        __syncwarp();
    }

    __device__ __forceinline__ void act() const {
        const float* const sums = (const float*)(warp + L::MOTORS) + args.neurons - MOTORS;
        if (lane == 0) {
            const size_t index = (size_t)blockIdx.y * args.environments + episode->environment;
            episode->agent.act(sums[0], sums[1], sums[2], args.swaps[index * args.actions + episode->action]);
            ++episode->action;
        }
        __syncwarp();
    }

    __device__ __forceinline__ void tick(Synapses<Unit, WIDE>& synapses, Neurons<Unit, NEURON_TILES>& neurons) const {
        constexpr int INPUTS = Synapses<Unit, WIDE>::INPUTS;
        const char* const rows = (const char*)(warp + L::ROWS);
        const uint4* const addresses = (const uint4*)(block + L::PRE) + lane;
        const uint4 of_source = addresses[0], of_neuron = addresses[WIDE ? 32 : 0];
        const uint32_t pre[SYNAPSE_TILES] = {of_source.x, of_source.y, of_source.z};
        const uint32_t post[SYNAPSE_TILES] = {of_neuron.x, of_neuron.y, of_neuron.z};
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m) {
            ptx::load_matrices(synapses.rows[m][INPUTS], rows + pre[m]);
            if (WIDE) ptx::load_matrices(synapses.rows[m][INPUTS + WIDE], rows + post[m]);
        }
        synapses.step((const uint4*)block + lane, (const uint4*)warp + lane);
        Tile sums[2];
        clear(sums[0]);
        clear(sums[1]);
#pragma unroll
        for (int m = 0; m < SYNAPSE_TILES; ++m) {
            const uint4 ones = ((const uint4*)(block + L::SUMS))[m * 32 + lane];
            const Operand a = {ones.x, ones.y, ones.z, ones.w};
            uint32_t b[4];
#pragma unroll
            for (int i = 0; i < 4; ++i) b[i] = ptx::transpose_8x8(synapses.out[m][i]);
            ptx::mma_16x8x16(sums[0], a, b[0], b[1]);
            ptx::mma_16x8x16(sums[1], a, b[2], b[3]);
        }
        using N = Neurons<Unit, NEURON_TILES>;
        const auto word = [&](int n, int i) -> uint32_t& {
            return warp[L::ROWS + (i * L::HALF + SENSORS + 8 * n) * 4 + lane];
        };
#pragma unroll
        for (int n = 0; n < NEURON_TILES; ++n) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                // Rows of a sum are neurons, its columns slots: packed, that is a B operand.
                neurons.rows[n][N::INPUTS][i] = ptx::pack_half2(sums[i][2 * n], sums[i][2 * n + 1]);
                // So is what was put out for others to read, and it need not stay in registers.
                if (Unit::FEEDBACK) neurons.rows[n][N::OUT][i] = word(n, i);
            }
        }
        float4* const kept = (float4*)(warp + L::KEPT) + lane;
        neurons.each_tile([&](int i, float (&state)[4]) {
            const float4 four = kept[32 * i];
            state[0] = four.x, state[1] = four.y, state[2] = four.z, state[3] = four.w;
        });
        __syncwarp();
        neurons.step((const uint4*)(block + L::NEURONS) + lane, (const float4*)(warp + L::NEURON_NOISE) + lane,
                     (float2*)(warp + L::MOTORS), [&](int n, int i, uint32_t o) { word(n, i) = o; });
        neurons.each_tile([&](int i, float (&state)[4]) { kept[32 * i] = make_float4(state[0], state[1], state[2], state[3]); });
        __syncwarp();
    }

    __device__ __forceinline__ void play() const {
        begin();
        Synapses<Unit, WIDE> synapses;
        Neurons<Unit, NEURON_TILES> neurons;
#pragma unroll 1
        while (episode->action < args.actions && episode->agent.maze.is_alive()) {
            sense();
#pragma unroll 1
            for (uint32_t i = 0; i < args.ticks; ++i) tick(synapses, neurons);
            act();
        }
        if (lane == 0) {
            const size_t players = (size_t)blockIdx.y * args.players + lot->player;
            const size_t to = players * args.environments + episode->environment;
            args.fitness[to] = episode->agent.rewards;
            args.lived[to] = episode->action * args.ticks;
        }
    }

    __device__ __forceinline__ void follow(const NetworkTicksArgs& ticks) const {
        begin();
        const Slots<WIDE> slots(args);
        Synapses<Unit, WIDE> synapses;
        Neurons<Unit, NEURON_TILES> neurons;
        const auto half = [&](uint32_t source, uint32_t channel) -> uint16_t& {
            const uint32_t slot = slots.of(channel);
            return ((uint16_t*)(warp + L::ROWS))[(slot / 8 * L::HALF + source) * 8 + slot % 8];
        };
#pragma unroll 1
        for (uint32_t i = 0; i < ticks.ticks; ++i) {
            const size_t at = (size_t)i * args.environments + episode->environment;
            for (uint32_t j = lane; j < SENSORS * args.channels; j += 32)
                half(j / args.channels, j % args.channels) =
                    (uint16_t)ptx::pack_half2(ticks.inputs[at * SENSORS * args.channels + j], 0.0f);
            __syncwarp();
            tick(synapses, neurons);
            for (uint32_t j = lane; j < args.neurons * args.channels; j += 32)
                ticks.outputs[at * args.neurons * args.channels + j] =
                    ptx::half_of(half(SENSORS + j / args.channels, j % args.channels), 0);
        }
    }
};

template <class Unit, bool WIDE>
__device__ __forceinline__ void play(const NetworkArgs& args) {
    if (*args.halted) return;
    SHARED(memory);
    uint32_t* const shared = (uint32_t*)memory;
    prepare<Unit, WIDE>(args, shared);
    const Player<Unit, WIDE> of_warp(args, shared);
    while (of_warp.take()) of_warp.play();
}

// For tests: sensors as given instead of a maze, and every tick's outputs.
template <class Unit, bool WIDE>
__device__ __forceinline__ void follow(const NetworkTicksArgs& args) {
    SHARED(memory);
    prepare<Unit, WIDE>(args.network, (uint32_t*)memory);
    const Player<Unit, WIDE> of_warp(args.network, (uint32_t*)memory);
    while (of_warp.take()) of_warp.follow(args);
}

}  // namespace network_fast

#define NETWORK(unit, Unit) \
    KERNEL(network_fast_##unit##_8, NetworkArgs, 128, 3) { network_fast::play<Unit, false>(args); } \
    KERNEL(network_fast_##unit##_16, NetworkArgs, 128, 2) { network_fast::play<Unit, true>(args); }
NETWORK(enu, Enu)
NETWORK(nfenu, Nfenu)
NETWORK(gru, Gru)
NETWORK(lstm, Lstm)
#undef NETWORK

#define TICKS(unit, Unit, neurons, wide) \
    KERNEL(network_fast_ticks_##unit##_##neurons, NetworkTicksArgs, 128, 1) { network_fast::follow<Unit, wide>(args); }
TICKS(enu, Enu, 8, false)
TICKS(enu, Enu, 16, true)
TICKS(nfenu, Nfenu, 8, false)
TICKS(nfenu, Nfenu, 16, true)
TICKS(gru, Gru, 8, false)
TICKS(gru, Gru, 16, true)
TICKS(lstm, Lstm, 8, false)
#undef TICKS
