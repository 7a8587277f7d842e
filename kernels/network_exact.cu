// A network of units in closed loop with its maze through a whole episode, exact mode: f32, the CPU's order of every sum,
// equal to the last bit. Twin: src/network/ with src/unit/ and src/world/.
//
// A block is a player, a warp one environment after another (network/episodes.cuh). Synapses are the work. Lanes tile them as in a matrix product: eight groups of lanes own every eighth synapse, four own
// quads of columns of up to two gates at once; for four rows a lane loads UNITS quads of state and 4 x COLUMNS weights a
// gate for 16 x UNITS x COLUMNS fused multiply-adds. Neighbouring lanes share the state, and the next neighbours the
// weights, so a warp's load of 512 bytes moves 128 at most. What a synapse reads through its inputs depends on its source
// and its neuron alone: it is computed once for each of these and is what the accumulators start from. r * h takes the
// place of h in shared memory while a lane keeps its own h in registers. Neurons have a lane a column (network/neurons.cuh).
//
// Rows are padded to quads: 0 in the state and -0 in the weights, whose product -0 leaves every accumulator as it is.
//
// Floor: 9,216 multiply-adds a lane and tick of the paper's network, 29 ms for 1,024 x 8 x 400 ticks at 33.5e12 lane
// instructions a second. Listed are about 15,300 instructions a tick, 48 ms: 3,100 are the functions' 19 or 17 each, 1,900
// loads and stores of shared memory and the counting of loops. Shared memory has room for eight warps, two of each
// scheduler's: 2 blocks of 4 at the paper's sizes.
#include "network/episodes.cuh"

namespace network_exact {

constexpr uint32_t PAD = 4;  // floats that spread the rows of projections over the banks

using network::AGENT;
using network::load;
using network::NEURONS;
using network::store;

template <int GATES, int UNITS, int COLUMNS>
struct Sums {
    float at[GATES][UNITS][COLUMNS];
};

// The network of one environment, whose state a warp shares.
template <class Unit, int COLUMNS, int TILES, int UNITS>
struct Network : network::Neurons<Unit, 4 * COLUMNS * TILES> {
    using Args = NetworkExactArgs;
    static constexpr bool UNITS_AS_SYNAPSES = true;
    static constexpr int TILE = 4 * COLUMNS, WIDTH = TILE * TILES;
    using Neurons = network::Neurons<Unit, WIDTH>;
    using Neurons::args, Neurons::layout, Neurons::weights, Neurons::state, Neurons::noise, Neurons::lane, Neurons::GATES;
    using Neurons::scratch, Neurons::neuron_outputs, Neurons::channel_at, Neurons::output;
    uint32_t group, quad;

    __device__ __forceinline__ Network(const NetworkExactArgs& args, const float* weights, float* state,
                                       const float* noise)
        : Neurons(args.network, args.layout, weights, state, noise), group(lane >> 1 & 7), quad((lane & 1) + (lane >> 3 & 2)) {}

    __device__ __forceinline__ float* memory() const { return state + AGENT; }

    // A row of a synapse's memory is quads q ^ twist, so that eight synapses' quads lie in different banks.
    __device__ __forceinline__ uint32_t twisted(uint32_t q) const {
        return 4 * (q ^ (WIDTH >= 32 ? group : group >> 1));
    }

    // f(unit, first of four columns, where they lie) for the lane's part of column tile `t` of U x 8 synapses' states.
    template <int U, class F>
    __device__ __forceinline__ void each_quad(float* states, uint32_t first, int t, F f) const {
#pragma unroll
        for (int i = 0; i < U; ++i)
#pragma unroll
            for (int c = 0; c < COLUMNS; c += 4)
                f(i, c, states + (first + 8 * i + group) * WIDTH + twisted(t * COLUMNS + c + quad));
    }

    // sums += state x weights: `state(q, i)` is where quad q of the lane's i-th synapse lies, `weights` the first of its
    // rows at the lane's columns.
    template <int G, int U, class State>
    __device__ __forceinline__ void accumulate(Sums<G, U, COLUMNS>& sums, const float* weights, const int (&which)[G],
                                               uint32_t quads, State state) const {
#pragma unroll 1
        for (uint32_t q = 0; q < quads; ++q, weights += 4 * GATES * WIDTH) {
            float x[U][4];
#pragma unroll
            for (int i = 0; i < U; ++i) load(state(q, i), x[i]);
#pragma unroll
            for (int k = 0; k < 4; ++k)
#pragma unroll
                for (int g = 0; g < G; ++g)
#pragma unroll
                    for (int c = 0; c < COLUMNS; c += 4) {
                        float w[4];
                        load(weights + (k * GATES + which[g]) * WIDTH + 4 * c, w);
#pragma unroll
                        for (int i = 0; i < U; ++i)
#pragma unroll
                            for (int j = 0; j < 4; ++j)
                                sums.at[g][i][c + j] = fmaf(x[i][k], w[j], sums.at[g][i][c + j]);
                    }
        }
    }

    // The weighted sums of gates `which` in column tile `t` of synapses `first` ..., from their `projections`.
    template <int G, int U>
    __device__ __forceinline__ Sums<G, U, COLUMNS> gates(const int (&which)[G], uint32_t first, int t,
                                                         const float* projections) const {
        const float* const of_columns = projections + t * TILE + 4 * quad;
        const uint32_t* const rows = (const uint32_t*)weights + layout.rows + first + group;
        Sums<G, U, COLUMNS> sums;
#pragma unroll
        for (int i = 0; i < U; ++i) {
            const uint32_t row = rows[8 * i];
            const float* const of_source = of_columns + (row & 0xffff) * (G * WIDTH + PAD);
            const float* const of_neuron = of_columns + (row >> 16) * (G * WIDTH + PAD);
#pragma unroll
            for (int g = 0; g < G; ++g)
#pragma unroll
                for (int c = 0; c < COLUMNS; c += 4) {
                    float a[4], b[4];
                    load(of_source + g * WIDTH + 4 * c, a);
                    load(of_neuron + g * WIDTH + 4 * c, b);
#pragma unroll
                    for (int j = 0; j < 4; ++j) sums.at[g][i][c + j] = a[j] + b[j];
                }
        }
        const float* const of_memory = weights + t * TILE + 4 * quad;
        const float* const mine = memory() + (first + group) * WIDTH;
        accumulate<G, U>(sums, of_memory, which, layout.memory_quads,
                         [&](uint32_t q, int i) { return mine + 8 * i * WIDTH + twisted(q); });
        if (Unit::FEEDBACK) {
            const float* const fed_back = state + layout.outputs + (first + group) * layout.output_stride;
            accumulate<G, U>(sums, of_memory + 4 * layout.memory_quads * GATES * WIDTH, which, layout.channel_quads,
                             [&](uint32_t q, int i) { return fed_back + 8 * i * layout.output_stride + 4 * q; });
        }
        return sums;
    }

    // What gates `which` of any synapse read through its inputs, a row for every sensor, every neuron as a source, and
    // every neuron as the synapse's own. A lane has a column.
    template <int G>
    __device__ __forceinline__ void project(const int (&which)[G], uint32_t senses, float* to) const {
        constexpr uint32_t STRIDE = G * WIDTH + PAD;
        const uint32_t channels = 4 * layout.channel_quads;
#pragma unroll
        for (int t = 0; t < Neurons::TILES; ++t) {
            const uint32_t column = 32 * t + lane % WIDTH;
            if (lane >= WIDTH) continue;
            const float* const inputs = weights + layout.inputs + 4 * column;
#pragma unroll
            for (int g = 0; g < G; ++g) {
                float* const at = to + g * WIDTH + column;
                float w[4];
                load(inputs + which[g] * 4 * WIDTH, w);
                const auto of_channel = [&](uint32_t bit, uint32_t channel) {
                    return senses >> bit & 1 ? fmaf(1.0f, w[channel], 0.0f) : 0.0f;
                };
#pragma unroll
                for (uint32_t sensor = 0; sensor < 3; ++sensor) at[sensor * STRIDE] = of_channel(sensor, 0);
                // Never both.
                at[3 * STRIDE] = senses >> 3 & 1 ? of_channel(3, 1) : of_channel(4, 2);
            }
#pragma unroll
            for (int own = 0; own < 2; ++own) {
                const uint32_t begin = own ? layout.after_first : 0, input = own ? layout.after_input : 0;
                const uint32_t count = own ? layout.channel_quads - begin : layout.before_quads;
                float* const at = to + (SENSORS + own * layout.neurons) * STRIDE + column;
                for (uint32_t n = 0; n < layout.neurons; n += NEURONS) {
                    float sums[G][NEURONS] = {};
                    this->template add_rows<G>(sums, inputs + 4 * input * GATES * WIDTH, which,
                                neuron_outputs(n) + 4 * begin, channels, count);
#pragma unroll
                    for (int g = 0; g < G; ++g)
#pragma unroll
                        for (uint32_t i = 0; i < NEURONS; ++i) at[(n + i) * STRIDE + g * WIDTH] = sums[g][i];
                }
            }
        }
    }

    // The memories of synapses `first` ...: 8 x U of them, which do not read one another.
    template <int U>
    __device__ __forceinline__ void remember_synapses(uint32_t first, uint32_t senses) {
        // Of the lane's elements: update gate and reset gate, later h; or, of the LSTM, the cell's input and later h.
        float update[TILES][U][COLUMNS], held[TILES][U][COLUMNS];
        float* const second = state + layout.second_projections;
        constexpr int FIRST[2] = {0, Unit::LSTM ? 2 : 1}, SECOND[2] = {Unit::LSTM ? 1 : 2, 3};
#pragma unroll
        for (int t = 0; t < TILES; ++t) {
            const Sums<2, U, COLUMNS> sums = gates<2, U>(FIRST, first, t, scratch());
#pragma unroll
            for (int i = 0; i < U; ++i)
#pragma unroll
                for (int c = 0; c < COLUMNS; ++c) {
                    update[t][i][c] = num::sigmoid(sums.at[0][i][c]);
                    if (Unit::LSTM) {
                        update[t][i][c] = update[t][i][c] * num::tanh(sums.at[1][i][c]);
                    } else {
                        held[t][i][c] = num::sigmoid(sums.at[1][i][c]);
                    }
                }
        }
        __syncwarp();
        if constexpr (Unit::LSTM) {
            if (first == 0) project<2>(SECOND, senses, second);
            __syncwarp();
#pragma unroll
            for (int t = 0; t < TILES; ++t) {
                const Sums<2, U, COLUMNS> sums = gates<2, U>(SECOND, first, t, second);
                each_quad<U>(state + layout.cell, first, t, [&](int i, int c, float* at) {
                    float old[4];
                    load(at, old);
#pragma unroll
                    for (int j = 0; j < 4; ++j) {
                        old[j] = fmaf(num::sigmoid(sums.at[0][i][c + j]), old[j], update[t][i][c + j]);
                        held[t][i][c + j] = num::sigmoid(sums.at[1][i][c + j]) * num::tanh(old[j]);
                    }
                    store(at, old);
                });
            }
        } else {
#pragma unroll
            for (int t = 0; t < TILES; ++t)
                each_quad<U>(memory(), first, t, [&](int i, int c, float* at) {
                    float old[4], reset[4];
                    load(at, old);
#pragma unroll
                    for (int j = 0; j < 4; ++j) {
                        reset[j] = held[t][i][c + j] * old[j];
                        held[t][i][c + j] = old[j];
                    }
                    store(at, reset);
                });
            if (first == 0) project<1>({2}, senses, second);
            __syncwarp();
#pragma unroll
            for (int t = 0; t < TILES; ++t) {
                const Sums<1, U, COLUMNS> sums = gates<1, U>({2}, first, t, second);
#pragma unroll
                for (int i = 0; i < U; ++i)
#pragma unroll
                    for (int c = 0; c < COLUMNS; ++c)
                        held[t][i][c] =
                            fmaf(update[t][i][c], num::tanh(sums.at[0][i][c]) - held[t][i][c], held[t][i][c]);
            }
        }
        // All have read what these rows held before.
        __syncwarp();
#pragma unroll
        for (int t = 0; t < TILES; ++t)
            each_quad<U>(memory(), first, t, [&](int i, int c, float* at) {
                const float now[4] = {held[t][i][c], held[t][i][c + 1], held[t][i][c + 2], held[t][i][c + 3]};
                store(at, now);
            });
        __syncwarp();
    }

    template <int U>
    __device__ __forceinline__ void read_out_synapses(uint32_t first) const {
        for (uint32_t tile = 0; tile < layout.channel_quads; tile += 4) {
            const uint32_t q = tile + quad;
            float sums[U][4] = {}, noises[U][4];
            uint32_t channel[4], mask[4];
#pragma unroll
            for (int j = 0; j < 4; ++j) {
                const bool there = channel_at(4 * q + j, channel[j]);
                mask[j] = there ? ~0u : 0u;
                channel[j] = there ? channel[j] : 0;
            }
#pragma unroll
            for (int i = 0; i < U; ++i) {
                const uint32_t row = min(first + 8 * i + group, args.synapses - 1) * args.channels;
#pragma unroll
                for (int j = 0; j < 4; ++j)
                    noises[i][j] = __uint_as_float(__float_as_uint(noise[row + channel[j]]) & mask[j]);
            }
            const float* of_columns = weights + layout.read_out + 4 * q;
            const float* const mine = memory() + (first + group) * WIDTH;
#pragma unroll 1
            for (uint32_t r = 0; r < layout.memory_quads; ++r, of_columns += 4 * layout.read_out_stride) {
                float x[U][4];
#pragma unroll
                for (int i = 0; i < U; ++i) load(mine + 8 * i * WIDTH + twisted(r), x[i]);
#pragma unroll
                for (int k = 0; k < 4; ++k) {
                    float w[4];
                    load(of_columns + k * layout.read_out_stride, w);
#pragma unroll
                    for (int i = 0; i < U; ++i)
#pragma unroll
                        for (int j = 0; j < 4; ++j) sums[i][j] = fmaf(x[i][k], w[j], sums[i][j]);
                }
            }
            if (q >= layout.channel_quads) continue;
#pragma unroll
            for (int i = 0; i < U; ++i) {
#pragma unroll
                for (int j = 0; j < 4; ++j) sums[i][j] = output(sums[i][j], noises[i][j]);
                store(state + layout.outputs + (first + 8 * i + group) * layout.output_stride + 4 * q, sums[i]);
            }
        }
    }

    // One network step.
    __device__ __forceinline__ void step(uint32_t senses) {
        project<2>({0, Unit::LSTM ? 2 : 1}, senses, scratch());
        __syncwarp();
        uint32_t synapse = 0;
        for (; synapse + 8 * UNITS <= layout.synapses; synapse += 8 * UNITS) {
            remember_synapses<UNITS>(synapse, senses);
            read_out_synapses<UNITS>(synapse);
        }
        if (UNITS > 1)
            for (; synapse < layout.synapses; synapse += 8) {
                remember_synapses<1>(synapse, senses);
                read_out_synapses<1>(synapse);
            }
        __syncwarp();
        this->step_neurons();
    }
};

}  // namespace network_exact

// Named network_exact_<unit>_<columns>; units of at most so many memory cells.
#define NETWORK(unit, Unit, width, columns, tiles, units) \
    KERNEL(network_exact_##unit##_##width, NetworkExactArgs, 256, 1) { network::play<network_exact::Network<Unit, columns, tiles, units>>(args); }
#define WIDTHS(unit, Unit) \
    NETWORK(unit, Unit, 16, 4, 1, 6) \
    NETWORK(unit, Unit, 32, 8, 1, 6) \
    NETWORK(unit, Unit, 64, 8, 2, 3)
WIDTHS(enu, Enu)
WIDTHS(nfenu, Nfenu)
WIDTHS(gru, Gru)
WIDTHS(lstm, Lstm)
#undef WIDTHS
#undef NETWORK
