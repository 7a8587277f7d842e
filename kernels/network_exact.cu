// A network of units in closed loop with its maze through a whole episode, exact mode: f32, the CPU's order of every sum,
// equal to the last bit. Twin: src/network/ with src/unit/ and src/world/.
//
// A block is one player (an offspring, or the centre behind them) in some environments. Its weights lie in shared memory, made there by the
// block itself; its warps take one of these after another, each alone through the whole episode, so a dead agent frees
// its warp, and between the ticks of an episode there is no barrier but the warp's own.
//
// Synapses are the work. Lanes tile them as in a matrix product: eight groups of lanes own every eighth synapse, four own
// quads of columns of up to two gates at once; for four rows a lane loads UNITS quads of state and 4 x COLUMNS weights a
// gate for 16 x UNITS x COLUMNS fused multiply-adds. Neighbouring lanes share the state, and the next neighbours the
// weights, so a warp's load of 512 bytes moves 128 at most. What a synapse reads through its inputs depends on its source
// and its neuron alone: it is computed once for each of these and is what the accumulators start from. r * h takes the
// place of h in shared memory while a lane keeps its own h in registers. Neurons have a lane a column.
//
// Rows are padded to quads: 0 in the state and -0 in the weights, whose product -0 leaves every accumulator as it is.
//
// Floor: 9,216 multiply-adds a lane and tick of the paper's network, 29 ms for 1,024 x 8 x 400 ticks at 33.5e12 lane
// instructions a second. Listed are about 15,300 instructions a tick, 48 ms: 3,100 are the functions' 19 or 17 each, 1,900
// loads and stores of shared memory and the counting of loops. Shared memory has room for eight warps, two of each
// scheduler's: 2 blocks of 4 at the paper's sizes.
#include "unit/network.cuh"
#include "world/t_maze.cuh"

namespace network_exact {

constexpr uint32_t NEURONS = 6;  // that a warp computes at once
constexpr uint32_t PAD = 4;      // floats that spread the rows of projections over the banks
constexpr uint32_t AGENT = 16;   // floats that an agent has room in
static_assert(sizeof(Agent) <= 4 * AGENT, "Agent");

__device__ __forceinline__ void load(const float* from, float (&to)[4]) {
    const float4 four = *(const float4*)from;
    to[0] = four.x, to[1] = four.y, to[2] = four.z, to[3] = four.w;
}

__device__ __forceinline__ void store(float* to, const float (&from)[4]) {
    *(float4*)to = make_float4(from[0], from[1], from[2], from[3]);
}

template <int GATES, int UNITS, int COLUMNS>
struct Sums {
    float at[GATES][UNITS][COLUMNS];
};

// The network of one environment, whose state a warp shares.
template <class Unit, int COLUMNS, int TILES, int UNITS>
struct Network {
    static constexpr int TILE = 4 * COLUMNS, WIDTH = TILE * TILES, NEURON_TILES = (WIDTH + 31) / 32;
    static constexpr int GATES = Matrices<Unit>::GATES;
    const NetworkArgs& args;
    const NetworkLayout& layout;
    const float* weights;
    float* state;
    const float* noise;
    uint32_t lane, group, quad;

    __device__ __forceinline__ Network(const NetworkExactArgs& args, const float* weights, float* state,
                                       const float* noise)
        : args(args.network),
          layout(args.layout),
          weights(weights),
          state(state),
          noise(noise),
          lane(threadIdx.x % 32),
          group(lane >> 1 & 7),
          quad((lane & 1) + (lane >> 3 & 2)) {}

    __device__ __forceinline__ float* memory() const { return state + AGENT; }
    __device__ __forceinline__ float* scratch() const { return state + layout.scratch; }
    __device__ __forceinline__ float* neuron_memory(uint32_t n) const { return state + layout.neuron_memory + n * WIDTH; }
    __device__ __forceinline__ float* neuron_outputs(uint32_t n) const {
        return state + layout.neuron_outputs + n * 4 * layout.channel_quads;
    }

    // Whether there is a channel at a place, and which.
    __device__ __forceinline__ bool channel_at(uint32_t place, uint32_t& channel) const {
        channel = place < layout.border ? place : place - layout.gap;
        return place < layout.border || (place >= layout.border + layout.gap && channel < args.channels);
    }

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

    // sums += rows x weights for NEURONS rows that lie `stride` apart; weights [quad][gate][WIDTH][4], at the lane's column.
    template <int G>
    __device__ __forceinline__ void add_rows(float (&sums)[G][NEURONS], const float* weights, const int (&which)[G],
                                             const float* rows, uint32_t stride, uint32_t quads) const {
#pragma unroll 2
        for (uint32_t q = 0; q < quads; ++q, weights += 4 * GATES * WIDTH, rows += 4) {
            float w[G][4];
#pragma unroll
            for (int g = 0; g < G; ++g) load(weights + which[g] * 4 * WIDTH, w[g]);
#pragma unroll
            for (int i = 0; i < NEURONS; ++i) {
                float x[4];
                load(rows + i * stride, x);
#pragma unroll
                for (int k = 0; k < 4; ++k)
#pragma unroll
                    for (int g = 0; g < G; ++g) sums[g][i] = fmaf(x[k], w[g][k], sums[g][i]);
            }
        }
    }

    // What gates `which` of any synapse read through its inputs, a row for every sensor, every neuron as a source, and
    // every neuron as the synapse's own. A lane has a column.
    template <int G>
    __device__ __forceinline__ void project(const int (&which)[G], uint32_t senses, float* to) const {
        constexpr uint32_t STRIDE = G * WIDTH + PAD;
        const uint32_t channels = 4 * layout.channel_quads;
#pragma unroll
        for (int t = 0; t < NEURON_TILES; ++t) {
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
                    add_rows<G>(sums, inputs + 4 * input * GATES * WIDTH, which,
                                neuron_outputs(n) + 4 * begin, channels, count);
#pragma unroll
                    for (int g = 0; g < G; ++g)
#pragma unroll
                        for (int i = 0; i < NEURONS; ++i) at[(n + i) * STRIDE + g * WIDTH] = sums[g][i];
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

    // A sum of the read-out as an output. Where there is no channel the weights are -0, and so is the sum.
    __device__ __forceinline__ static float output(float sum, float noise) {
        return Unit::CLIP ? num::clip_unit(sum + noise) : sum + noise;
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

    // Neuron n's input: its synapses' outputs, one after the other.
    __device__ __forceinline__ void integrate(float* inputs) const {
        const uint32_t* const first = (const uint32_t*)weights + layout.first;
        for (uint32_t neuron = lane / 4; neuron < layout.neurons; neuron += 8)
            for (uint32_t q = lane % 4; q < layout.channel_quads; q += 4) {
                const float* from = state + layout.outputs + 4 * q + first[neuron] * layout.output_stride;
                float sum[4] = {};
                for (uint32_t left = first[neuron + 1] - first[neuron]; left > 0; --left, from += layout.output_stride) {
                    float x[4];
                    load(from, x);
#pragma unroll
                    for (int j = 0; j < 4; ++j) sum[j] = sum[j] + x[j];
                }
                store(inputs + 4 * (neuron * layout.channel_quads + q), sum);
            }
    }

    // The weighted sums of gates `which` in column tile `t` of neurons n ...; `rows` are their memories, or r * h.
    template <int G>
    __device__ __forceinline__ void neuron_gates(float (&sums)[G][NEURONS], const int (&which)[G], uint32_t n, int t,
                                                 const float* rows, const float* inputs) const {
        const uint32_t channels = 4 * layout.channel_quads;
        const float* at = weights + layout.neuron_gates + 4 * (32 * t + lane % WIDTH);
        add_rows<G>(sums, at, which, rows, WIDTH, layout.memory_quads);
        at += 4 * layout.memory_quads * GATES * WIDTH;
        if (Unit::FEEDBACK) {
            add_rows<G>(sums, at, which, neuron_outputs(n), channels, layout.channel_quads);
            at += 4 * layout.channel_quads * GATES * WIDTH;
        }
        add_rows<G>(sums, at, which, inputs + n * channels, channels, layout.channel_quads);
    }

    __device__ __forceinline__ void remember_neurons(uint32_t n, const float* inputs, float* resets) {
        float update[NEURON_TILES][NEURONS], held[NEURON_TILES][NEURONS];
        float* const memories = neuron_memory(n) + lane % WIDTH;
        float* const cells = state + layout.neuron_cell + n * WIDTH + lane % WIDTH;
        const bool mine = lane < WIDTH;
#pragma unroll
        for (int t = 0; t < NEURON_TILES; ++t) {
            float sums[2][NEURONS] = {};
            neuron_gates<2>(sums, {0, Unit::LSTM ? 2 : 1}, n, t, neuron_memory(n), inputs);
#pragma unroll
            for (int i = 0; i < NEURONS; ++i) {
                update[t][i] = num::sigmoid(sums[0][i]);
                if (Unit::LSTM) {
                    update[t][i] = update[t][i] * num::tanh(sums[1][i]);
                } else {
                    held[t][i] = memories[i * WIDTH + 32 * t];
                    if (mine) resets[i * WIDTH + 32 * t + lane] = num::sigmoid(sums[1][i]) * held[t][i];
                }
            }
        }
        __syncwarp();
#pragma unroll
        for (int t = 0; t < NEURON_TILES; ++t) {
            if constexpr (Unit::LSTM) {
                float sums[2][NEURONS] = {};
                neuron_gates<2>(sums, {1, 3}, n, t, neuron_memory(n), inputs);
#pragma unroll
                for (int i = 0; i < NEURONS; ++i) {
                    const float next = fmaf(num::sigmoid(sums[0][i]), cells[i * WIDTH + 32 * t], update[t][i]);
                    held[t][i] = num::sigmoid(sums[1][i]) * num::tanh(next);
                    if (mine) cells[i * WIDTH + 32 * t] = next;
                }
            } else {
                float sums[1][NEURONS] = {};
                neuron_gates<1>(sums, {2}, n, t, resets, inputs);
#pragma unroll
                for (int i = 0; i < NEURONS; ++i)
                    held[t][i] = fmaf(update[t][i], num::tanh(sums[0][i]) - held[t][i], held[t][i]);
            }
        }
        __syncwarp();
#pragma unroll
        for (int t = 0; t < NEURON_TILES; ++t)
#pragma unroll
            for (int i = 0; i < NEURONS; ++i)
                if (mine) memories[i * WIDTH + 32 * t] = held[t][i];
        __syncwarp();
    }

    // Half a warp has sixteen channels of half of the neurons.
    __device__ __forceinline__ void read_out_neurons(uint32_t n) const {
        constexpr uint32_t HALF = NEURONS / 2;
        const uint32_t of_lane = n + lane / 16 * HALF, channels = 4 * layout.channel_quads;
        for (uint32_t place = lane % 16; place < channels; place += 16) {
            uint32_t channel;
            const bool there = channel_at(place, channel);
            float sums[HALF] = {}, noises[HALF];
#pragma unroll
            for (uint32_t i = 0; i < HALF; ++i) {
                const uint32_t unit = args.synapses + min(of_lane + i, args.neurons - 1);
                noises[i] = there ? noise[unit * args.channels + channel] : 0.0f;
            }
            const float* at = weights + layout.neuron_read_out + 4 * place;
            const float* rows = neuron_memory(of_lane);
#pragma unroll 1
            for (uint32_t q = 0; q < layout.memory_quads; ++q, at += 4 * channels, rows += 4) {
                float w[4];
                load(at, w);
#pragma unroll
                for (uint32_t i = 0; i < HALF; ++i) {
                    float x[4];
                    load(rows + i * WIDTH, x);
#pragma unroll
                    for (int k = 0; k < 4; ++k) sums[i] = fmaf(x[k], w[k], sums[i]);
                }
            }
#pragma unroll
            for (uint32_t i = 0; i < HALF; ++i)
                neuron_outputs(of_lane + i)[place] = output(sums[i], noises[i]);
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
        float* const inputs = scratch();
        integrate(inputs);
        __syncwarp();
        for (uint32_t n = 0; n < layout.neurons; n += NEURONS) {
            remember_neurons(n, inputs, state + layout.resets);
            read_out_neurons(n);
        }
        __syncwarp();
    }
};

template <class Unit, int COLUMNS, int TILES, int UNITS>
__device__ __forceinline__ void play(const NetworkExactArgs& all) {
    using N = Network<Unit, COLUMNS, TILES, UNITS>;
    constexpr uint32_t WIDTH = N::WIDTH, GATES = N::GATES;
    const NetworkArgs& args = all.network;
    const NetworkLayout& layout = all.layout;
    const uint32_t players = args.players, player = blockIdx.x % players, trial = blockIdx.y;
    const uint32_t groups = gridDim.x / players, share = (args.environments + groups - 1) / groups;
    const uint32_t begin = blockIdx.x / players * share, end = min(begin + share, args.environments);
    if (*args.halted) return;
    SHARED(shared);
    float* const weights = (float*)shared;
    uint32_t* const rows = (uint32_t*)weights + layout.rows;
    uint32_t* const first = (uint32_t*)weights + layout.first;
    uint32_t* const next = first + layout.neurons + 1;
    for (uint32_t i = threadIdx.x; i < layout.rows; i += blockDim.x) weights[i] = -0.0f;
    for (uint32_t n = threadIdx.x; n <= layout.neurons; n += blockDim.x) first[n] = args.first[min(n, args.neurons)];
    if (threadIdx.x == 0) *next = begin;
    __syncthreads();
    for (uint32_t synapse = threadIdx.x; synapse < layout.synapses; synapse += blockDim.x) {
        uint32_t neuron = 0;
        while (neuron + 1 < args.neurons && synapse >= first[neuron + 1]) ++neuron;
        const uint32_t source = synapse < args.synapses ? args.sources[synapse] : 0;
        rows[synapse] = source | (SENSORS + layout.neurons + neuron) << 16;
    }
    const uint32_t channels = 4 * layout.channel_quads, behind = args.memory + (Unit::FEEDBACK ? args.channels : 0);
    const bool same = args.neuron_parameters == 0;
    const auto place = [&](uint32_t channel) { return channel < layout.border ? channel : channel + layout.gap; };
    // Where a gate's row lies: memory, then what is fed back, then inputs.
    const auto row_of = [&](uint32_t row) {
        if (row < args.memory) return row;
        if (row < behind) return 4 * layout.memory_quads + place(row - args.memory);
        const uint32_t input = row - behind, second = input >= args.channels;
        return 4 * (layout.memory_quads + layout.feedback_quads) + second * channels + place(input - second * args.channels);
    };
    Chromosomes<Unit>(args).perturb(
        args, player, trial,
        [&](uint32_t neuron, uint32_t gate, uint32_t row, uint32_t column, float value) {
            const uint32_t k = row_of(row), in_quads = ((k / 4 * GATES + gate) * WIDTH + column) * 4 + k % 4;
            if (neuron || same) weights[layout.neuron_gates + in_quads] = value;
            if (neuron) return;
            // Of the synapses only the inputs lie in quads, behind as many rows as are before them.
            weights[row < behind ? (k * GATES + gate) * WIDTH + column : in_quads] = value;
        },
        [&](uint32_t neuron, uint32_t row, uint32_t channel, float value) {
            const uint32_t at = place(channel);
            if (neuron || same) weights[layout.neuron_read_out + (row / 4 * channels + at) * 4 + row % 4] = value;
            if (!neuron) weights[layout.read_out + row * layout.read_out_stride + at] = value;
        });
    __syncthreads();

    const uint32_t lane = threadIdx.x % 32;
    float* const state = weights + layout.state + threadIdx.x / 32 * layout.warp;
    for (;;) {
        uint32_t environment = 0;
        if (lane == 0) environment = atomicAdd(next, 1);
        environment = __shfl_sync(~0u, environment, 0);
        if (environment >= end) return;
        const size_t maze = (size_t)trial * args.environments + environment;
        for (uint32_t i = lane; i < layout.warp; i += 32) state[i] = 0.0f;
        __syncwarp();
        // In shared memory: in registers it would be in the way for the length of a tick.
        Agent& agent = *(Agent*)state;
        if (lane == 0) agent = Agent(args, args.mazes[maze]);
        __syncwarp();
        N network(all, weights, state, args.noise + maze * (args.synapses + args.neurons) * args.channels);
        uint32_t action = 0;
        for (; action < args.actions && agent.maze.is_alive(); ++action) {
            const uint32_t senses = agent.senses();
            float motors[MOTORS] = {};
            for (uint32_t tick = 0; tick < args.ticks; ++tick) {
                network.step(senses);
#pragma unroll
                for (uint32_t k = 0; k < MOTORS; ++k)
                    motors[k] = motors[k] + *network.neuron_outputs(args.neurons - MOTORS + k);
            }
            if (lane == 0) agent.act(motors[0], motors[1], motors[2], args.swaps[maze * args.actions + action]);
            __syncwarp();
        }
        if (lane == 0) {
            const size_t out = ((size_t)trial * players + player) * args.environments + environment;
            args.fitness[out] = agent.rewards;
            args.lived[out] = action * args.ticks;
        }
    }
}

}  // namespace network_exact

// Named network_exact_<unit>_<columns>; units of at most so many memory cells.
#define NETWORK(unit, Unit, width, columns, tiles, units) \
    KERNEL(network_exact_##unit##_##width, NetworkExactArgs, 256, 1) { network_exact::play<Unit, columns, tiles, units>(args); }
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
