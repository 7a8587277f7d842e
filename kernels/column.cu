// Cortical columns, many side by side, each with parameters of its own. Twin of src/column/, whose sums are sums of integers and
// whose numbers are drawn by counter: the same spikes, in whatever order threads and columns take their turns.
//
// Wiring: `column_count` draws every synapse's source and delay and counts them, a thread two synapses; `column_scan` adds the
// counts up, a block a column; `column_scatter` draws the same synapses with target and weight and puts each where its source
// and delay have room, in no order. 8 bytes a synapse: of a weight's 31 bits some 22 are in use, and of the lanes 13, so that
// one word does not hold both.
//
// Steps: `column_one` (one current), `column_three` (one for each kind) and `column_one_wide`: a block a column, all steps in
// one launch. A thread owns the same lane of every so many strips of 32 lanes, with potential and current in registers; in
// shared memory lie the sums of what arrives, spikes from outside of eight steps in 4 bits each, what the strips share, and
// the spikes whose synapses have not all acted. Eight lanes bring a spike's synapses of the delay that is due.
//
// Limited by issue: 32 instructions a neuron and step for the neuron and 20 for what comes from outside (kernels/README.md).
#include "ptx.cuh"
#include "rng.cuh"

namespace {

// Wiring.

struct Wire {
    uint32_t source, target, delay, word;
};

__device__ __forceinline__ Row wiring_row(const Column& column, const ColumnPair& pair, uint32_t attempt) {
    return {column.wiring_seed, STREAM_WIRING, attempt, pair.number};
}

__device__ __forceinline__ uint32_t delay_of(const uint32_t* thresholds, uint32_t word) {
    // How many of the first 63 are not above it; they do not descend.
    uint32_t delay = 0;
#pragma unroll
    for (uint32_t half = LONGEST_DELAY / 2; half > 0; half /= 2)
        if (word >= thresholds[delay + half - 1]) delay += half;
    return delay + 1;
}

__device__ __forceinline__ bool has_sign(const ColumnPair& pair, float weight) { return weight * pair.weight >= 0.0f; }

__device__ __forceinline__ float weight_of(const Column& column, const ColumnPair& pair, uint32_t number, float normal) {
    float weight = fmaf(pair.sd, normal, pair.weight);
    for (uint32_t attempt = 1; !has_sign(pair, weight); ++attempt) {
        if (attempt > WIRING_ATTEMPTS) return pair.weight;
        const uint4 again = words(wiring_row(column, pair, attempt), number);
        weight = fmaf(pair.sd, normal_pair(again.x, again.y).x, pair.weight);
    }
    return weight;
}

// Calls use(pair, delays, number, words of it, words of its partner's) for the two synapses of a thread.
template <class Use>
__device__ __forceinline__ void each_two(const Column& column, char* shared, Use use) {
    ColumnPair* const pairs = (ColumnPair*)shared;
    uint32_t* const delays = (uint32_t*)(pairs + COLUMN_PAIRS);
    for (uint32_t i = threadIdx.x; i < COLUMN_PAIRS; i += blockDim.x) pairs[i] = column.pairs[i];
    for (uint32_t i = threadIdx.x; i < 2 * LONGEST_DELAY; i += blockDim.x) delays[i] = column.delays[i];
    __syncthreads();
    uint32_t p = 0, begin = 0;
    const uint32_t end = pairs[COLUMN_PAIRS - 1].end, step = gridDim.x * blockDim.x;
    for (uint32_t unit = blockIdx.x * blockDim.x + threadIdx.x; unit < end; unit += step) {
        while (unit >= pairs[p].end) begin = pairs[p++].end;
        const uint32_t at = unit - begin, first = at / 32 * WIRING_GROUP + at % 32, second = first + WIRING_GROUP / 2;
        const Row row = wiring_row(column, pairs[p], 0);
        use(pairs[p], delays + pairs[p].law * LONGEST_DELAY, first, second, words(row, first), words(row, second));
    }
}

__device__ __forceinline__ uint32_t place_of(const ColumnPair& pair, const uint32_t* delays, const uint4& words) {
    const uint32_t source = pair.first_source + __umulhi(words.x, pair.sources);
    return COLUMN_ROWS + source * LONGEST_DELAY + delay_of(delays, words.z) - 1;
}

__device__ __forceinline__ void put(const Column& column, const ColumnPair& pair, uint32_t place, uint32_t word, float weight) {
    const uint32_t lane = pair.first_lane + __umulhi(word, pair.targets);
    // Exact but for the rounding to an integer: the scale is a power of two.
    const int32_t units = __float2int_rn(weight * column.scale);
    const uint32_t target = lane / 32 * column.seat_words + sizeof(ColumnStrip) / 4 + lane % 32;
    column.synapses[atomicAdd(column.rows + place, 1u)] = {target, units};
    atomicAdd((unsigned long long*)column.input + lane, (unsigned long long)(units < 0 ? -(long long)units : units));
}

// Steps.

// A potential that rests is no number but this and the last step at rest.
constexpr uint32_t RESTS = 0x7fc00000u, REST_MASK = (1u << COLUMN_REST_BITS) - 1;
// Steps whose first spikes are remembered: at least one more than the longest delay.
constexpr uint32_t BEGINS = 2 * LONGEST_DELAY;
// Of a guide's count: words of this beginning have more than one count.
constexpr uint32_t LOOK_AGAIN = 0x80u;
// Lanes that bring a spike's synapses: these are 13 a step in the published column.
constexpr uint32_t BRINGERS = 8;

// How many thresholds a word reaches.
__device__ __forceinline__ uint32_t reached(const uint32_t* law, uint32_t word, uint32_t from = 0) {
    uint32_t n = from;
    while (n < law[0] && word >= law[1 + n]) ++n;
    return n;
}

// A strip in shared memory, with what changes from step to step. The host knows its size.
template <uint32_t SIGNS>
struct Seats {
    ColumnStrip strip;
    int32_t sums[SIGNS][32];  // of what arrives, or of the positive and of the negative weights
    uint32_t outside[32];     // spikes from outside
};

// A column as its block has it in shared memory; the host counts the same bytes.
template <uint32_t CHANNELS, uint32_t STRIPS>
struct Stepper {
    static constexpr uint32_t SIGNS = CHANNELS == 1 ? 1 : 2;

    const ColumnsArgs& args;
    const Column& column;
    Seats<SIGNS>* seats;  // [strip]
    uint32_t* list;       // spikes that act: number of the source, and 6 bits of the step
    uint32_t* laws;
    uint32_t* begins;     // number of the first spike of a step, [step % BEGINS]
    uint32_t* counts;     // [population]
    uint32_t* spikes;     // how many there have been, and steps of the longest delay
    uint8_t* guides;      // [law][COLUMN_GUIDE]
    uint32_t lane, first, mine;  // of this warp: its first strip, and how many it has

    __device__ __forceinline__ Stepper(const ColumnsArgs& args, const Column& column, char* shared)
        : args(args), column(column) {
        seats = (Seats<SIGNS>*)shared;
        list = (uint32_t*)(seats + column.strips_count);
        laws = list + args.list;
        begins = laws + column.laws_count * COLUMN_LAW;
        counts = begins + BEGINS;
        spikes = counts + column.populations;
        guides = (uint8_t*)(spikes + 2);
        const uint32_t warp = threadIdx.x / 32, warps = blockDim.x / 32;
        lane = threadIdx.x % 32;
        first = warp * column.strips_count / warps;
        mine = (warp + 1) * column.strips_count / warps - first;
    }

    template <class F>
    __device__ __forceinline__ static void each(uint32_t count, F f) {
        for (uint32_t i = threadIdx.x; i < count; i += blockDim.x) f(i);
    }

    __device__ __forceinline__ void fill() const {
        each(column.strips_count, [&](uint32_t i) { seats[i].strip = column.strips[i]; });
        each(column.laws_count * COLUMN_LAW, [&](uint32_t i) { laws[i] = column.laws[i]; });
        each(32 * column.strips_count, [&](uint32_t i) {
            for (uint32_t sign = 0; sign < SIGNS; ++sign) seats[i / 32].sums[sign][i % 32] = 0;
            seats[i / 32].outside[i % 32] = 0;
            if (column.input[i] > 0x7fffffffu) column.report->is_over = 1;
        });
        each(column.populations, [&](uint32_t i) { counts[i] = 0; });
        each(1, [&](uint32_t) {
            spikes[0] = 0;
            spikes[1] = column.report->longest;
        });
        __syncthreads();
        each(column.laws_count * COLUMN_GUIDE, [&](uint32_t i) {
            const uint32_t* const law = laws + i / COLUMN_GUIDE * COLUMN_LAW;
            const uint32_t first = i % COLUMN_GUIDE << 21, least = reached(law, first);
            const bool is_sure = least == reached(law, first | 0x1fffffu, least);
            guides[i] = is_sure ? least : LOOK_AGAIN;
        });
    }

    // Of the eight half words of a block the one of a step.
    __device__ __forceinline__ static uint32_t half_of(const uint4& words, uint32_t place) {
        const uint32_t early = place < 2 ? words.x : words.y, late = place < 6 ? words.z : words.w;
        return (place < 4 ? early : late) >> 16 * (place % 2) & 0xffffu;
    }

    // How many come from outside where this is the upper half of a word, or LOOK_AGAIN.
    __device__ __forceinline__ static uint32_t count_of(const uint32_t* law, uint32_t half) {
        const uint32_t least = reached(law, half << 16);
        return reached(law, half << 16 | 0xffffu, least) == least ? least : LOOK_AGAIN;
    }

    // Of a lane, for the eight steps from `8 eight_steps` on: step j in 4 bits from bit 8 (j % 4) + 4 (j / 4) on; or for four of
    // them, in 8 bits from bit 8 (j % 4) on.
    __device__ __forceinline__ uint32_t draw(const ColumnStrip& strip, uint32_t eight_steps, bool are_later_four) const {
        const Row row = {column.noise_seed, STREAM_BACKGROUND, eight_steps, strip.first_lane + lane};
        const uint8_t* const guide = guides + strip.law * COLUMN_GUIDE;
        const uint32_t* const law = laws + strip.law * COLUMN_LAW;
        const uint4 w = words(row, 0);
        const auto two = [&](uint32_t word) { return guide[word >> 5 & 0x7ffu] | guide[word >> 21] << 8; };
        uint32_t early = two(w.x) | two(w.y) << 16, late = two(w.z) | two(w.w) << 16;
        const auto settle = [&](auto count) {
            uint32_t again = (early & 0x80808080u) >> 7 | (late & 0x80808080u) >> 6;
            while (again) {
                const uint32_t bit = __ffs(again) - 1, is_late = bit & 1, shift = bit & ~1u;
                // The mark gives way to the count.
                const uint32_t change = (count(bit / 8 + 4 * is_late) ^ LOOK_AGAIN) << shift;
                early ^= is_late ? 0 : change;
                late ^= is_late ? change : 0;
                again &= again - 1;
            }
        };
        settle([&](uint32_t place) { return count_of(law, half_of(w, place)); });
        // Hardly ever. The first block is made again so that nobody has to keep it.
        settle([&](uint32_t place) {
            const uint32_t upper = half_of(words(row, 0), place);
            return reached(law, upper << 16 | half_of(words(row, 1), place));
        });
        if (column.together == 8) return (early & 0x0f0f0f0fu) | (late & 0x0f0f0f0fu) << 4;
        return are_later_four ? late : early;
    }

    __device__ __forceinline__ void draw_all(uint32_t step) const {
        for (uint32_t k = 0; k < mine; ++k) {
            Seats<SIGNS>& all = seats[first + k];
            if (all.strip.law != NO_LAW) all.outside[lane] = draw(all.strip, (step - 1) / 8, (step - 1) % 8 >= 4);
        }
    }

    // Spike number i, of which those from `far` on lie in global memory.
    __device__ __forceinline__ uint32_t spike(uint32_t i, uint32_t far) const {
        if ((int32_t)(i - far) < 0) return list[i & (args.list - 1)];
        return column.far[i & (column.overflow - 1)];
    }

    // Add up what arrives in this step.
    __device__ __forceinline__ void receive(uint32_t step, uint32_t begin, uint32_t end, uint32_t far) const {
        const uint32_t bringer = threadIdx.x % BRINGERS;
        for (uint32_t i = begin + threadIdx.x / BRINGERS; (int32_t)(i - end) < 0; i += blockDim.x / BRINGERS) {
            const uint32_t entry = spike(i, far), age = (step - entry) % LONGEST_DELAY;
            // An age of 0 is one of 64 steps.
            const uint32_t segment = entry / LONGEST_DELAY * LONGEST_DELAY + (age - 1) % LONGEST_DELAY;
            const uint32_t* const row = column.rows + (COLUMN_ROWS - 1) + segment;
            const uint32_t to = row[1];
            for (uint32_t s = row[0] + bringer; s < to; s += BRINGERS) {
                const ColumnSynapse synapse = column.synapses[s];
                int32_t* const sum = (int32_t*)seats + synapse.target;
                atomicAdd(SIGNS == 2 && synapse.weight < 0 ? sum + 32 : sum, synapse.weight);
            }
            // What arrives in the next step lies behind.
            if (bringer < 4) ptx::prefetch(column.synapses + to + 4 * bringer);
        }
    }

    // Those that fired: strip k where bit k is set.
    __device__ __forceinline__ void tell(uint32_t fired, uint32_t step, uint32_t far) const {
        while (fired) {
            const ColumnStrip& strip = seats[first + __ffs(fired) - 1].strip;
            fired &= fired - 1;
            if (lane >= strip.neurons) continue;
            const uint32_t i = atomicAdd(spikes, 1u);
            const uint32_t entry = (strip.first_source + lane) * LONGEST_DELAY + step % LONGEST_DELAY;
            if ((int32_t)(i - far) < 0)
                list[i & (args.list - 1)] = entry;
            else
                column.far[i & (column.overflow - 1)] = entry;
            if (step <= args.warm) continue;
            atomicAdd(counts + strip.population, 1u);
            if (!column.room) continue;
            const uint32_t at = atomicAdd(&column.report->spikes, 1u);
            if (at < column.room) {
                column.spikes[2 * (size_t)at] = step;
                column.spikes[2 * (size_t)at + 1] = strip.first_lane + lane;
            }
        }
    }

    // A neuron to this step; whether it fires. `coming` from outside.
    __device__ __forceinline__ bool move(Seats<SIGNS>& all, uint32_t step, float coming, uint32_t& u,
                                         float (&current)[CHANNELS]) const {
        const ColumnStrip& strip = all.strip;
        const float unit = column.unit, external = column.external_weight;
        float next = strip.constant;
        const auto flow = [&](float& current, float decay, float gain, float input) {
            next = fmaf(gain, current, next);
            current = fmaf(decay, current, input);
        };
        if constexpr (CHANNELS == 1) {
            flow(current[0], strip.decay, strip.gain, fmaf(coming, external, (float)all.sums[0][lane] * unit));
        } else {
            flow(current[2], strip.decay_external, strip.gain_external, coming * external);
            flow(current[1], strip.decay_inhibitory, strip.gain_inhibitory, (float)all.sums[SIGNS - 1][lane] * unit);
            flow(current[0], strip.decay, strip.gain, (float)all.sums[0][lane] * unit);
        }
        for (uint32_t sign = 0; sign < SIGNS; ++sign) all.sums[sign][lane] = 0;
        float before = __uint_as_float(u);
        // The rest is over where its last step lies behind this one.
        if (is_nan(before) && ((u - step) & REST_MASK) > REST_MASK / 2) before = strip.reset;
        next = before + fmaf(strip.leak, before, next);
        // Of one that rests it is not a number, which reaches no threshold.
        const bool fires = next >= strip.threshold;
        if (!is_nan(before)) u = __float_as_uint(next);
        if (fires) u = RESTS | ((step + strip.refractory) & REST_MASK);
        return fires;
    }

    __device__ __forceinline__ void run() const {
        fill();
        uint32_t u[STRIPS];
        float current[STRIPS][CHANNELS];
#pragma unroll
        for (uint32_t k = 0; k < STRIPS; ++k) {
            u[k] = k < mine ? __float_as_uint(column.first[32 * (first + k) + lane]) : 0;
            for (uint32_t channel = 0; channel < CHANNELS; ++channel) current[k][channel] = 0.0f;
        }
        const uint32_t quiet = column.quiet, together = column.together;
        const uint32_t mask = together == 8 ? 15u : 255u;
        uint32_t far = 0;
        __syncthreads();
        for (uint32_t step = 1; step <= args.steps; ++step) {
            const uint32_t end = spikes[0], longest = spikes[1], begin = step > longest ? begins[(step - longest) % BEGINS] : 0;
            if ((int32_t)(end - far) <= 0) {
                far = begin + args.list;
            } else if (end - begin <= args.list / 2) {
                // Some lie in global memory, and shared memory has room again.
                const uint32_t from = (int32_t)(begin - far) > 0 ? begin : far;
                each(end - from, [&](uint32_t i) { list[(from + i) & (args.list - 1)] = spike(from + i, far); });
                far = begin + args.list;
                __syncthreads();
            }
            if (threadIdx.x == 0) begins[step % BEGINS] = end;
            receive(step, begin, end, far);
            __syncthreads();
            const uint32_t place = (step - 1) % 8, shift = 8 * (place % 4) + (together == 8 ? place & 4u : 0);
            if (step > quiet && ((place & (together - 1)) == 0 || step == quiet + 1)) draw_all(step);
            uint32_t fired = 0;
#pragma unroll
            for (uint32_t k = 0; k < STRIPS; ++k) {
                if (k >= mine) break;
                Seats<SIGNS>& all = seats[first + k];
                const float coming = (float)(int32_t)(all.outside[lane] >> shift & mask);
                if (move(all, step, coming, u[k], current[k])) fired |= 1u << k;
            }
            tell(fired, step, far);
            __syncthreads();
        }
        each(column.populations, [&](uint32_t i) { column.counts[i] = counts[i]; });
    }
};

template <uint32_t CHANNELS, uint32_t STRIPS>
__device__ __forceinline__ void run(const ColumnsArgs& args, char* shared) {
    Stepper<CHANNELS, STRIPS>(args, args.columns[blockIdx.x], shared).run();
}

}  // namespace

KERNEL(column_count, ColumnsArgs, 256, 4) {
    SHARED(shared);
    const Column& column = args.columns[blockIdx.y];
    uint32_t longest = 0;
    const auto count = [&](const ColumnPair& pair, const uint32_t* delays, const uint4& words) {
        const uint32_t place = place_of(pair, delays, words), delay = (place - COLUMN_ROWS) % LONGEST_DELAY + 1;
        atomicAdd(column.rows + place, 1u);
        longest = max(longest, delay);
    };
    each_two(column, shared,
             [&](const ColumnPair& pair, const uint32_t* delays, uint32_t first, uint32_t second, const uint4& a, const uint4& b) {
                 if (first < pair.synapses) count(pair, delays, a);
                 if (second < pair.synapses) count(pair, delays, b);
             });
    longest = __reduce_max_sync(~0u, longest);
    if (threadIdx.x % 32 == 0) atomicMax(&column.report->longest, longest);
}

KERNEL(column_scan, ColumnsArgs, 512, 2) {
    SHARED(shared);
    uint32_t* const sums = (uint32_t*)shared;
    const Column& column = args.columns[blockIdx.x];
    uint4* const fours = (uint4*)(column.rows + COLUMN_ROWS);
    const uint32_t count = column.sources * (LONGEST_DELAY / 4), warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint32_t before = 0;
    for (uint32_t first = 0; first < count; first += blockDim.x) {
        const uint32_t at = first + threadIdx.x;
        const uint4 four = at < count ? fours[at] : make_uint4(0, 0, 0, 0);
        const uint32_t own = four.x + four.y + four.z + four.w;
        uint32_t up_to = own;
        for (uint32_t by = 1; by < 32; by *= 2) {
            const uint32_t other = __shfl_up_sync(~0u, up_to, by);
            if (lane >= by) up_to += other;
        }
        if (lane == 31) sums[warp] = up_to;
        __syncthreads();
        uint32_t begin = before + up_to - own;
        for (uint32_t other = 0; other < blockDim.x / 32; ++other) {
            if (other < warp) begin += sums[other];
            before += sums[other];
        }
        if (at < count) fours[at] = make_uint4(begin, begin + four.x, begin + four.x + four.y, begin + own - four.w);
        __syncthreads();
    }
}

KERNEL(column_scatter, ColumnsArgs, 256, 4) {
    SHARED(shared);
    const Column& column = args.columns[blockIdx.y];
    each_two(column, shared,
             [&](const ColumnPair& pair, const uint32_t* delays, uint32_t first, uint32_t second, const uint4& a, const uint4& b) {
                 const float2 normals = normal_pair(a.w, b.w);
                 const auto place = [&](uint32_t number, const uint4& words, float normal) {
                     const float weight = weight_of(column, pair, number, normal);
                     put(column, pair, place_of(pair, delays, words), words.y, weight);
                 };
                 if (first < pair.synapses) place(first, a, normals.x);
                 if (second < pair.synapses) place(second, b, normals.y);
             });
}

KERNEL(column_one, ColumnsArgs, 512, 2) {
    SHARED(shared);
    run<1, 16>(args, shared);
}

KERNEL(column_one_wide, ColumnsArgs, 1024, 1) {
    SHARED(shared);
    run<1, 16>(args, shared);
}

KERNEL(column_three, ColumnsArgs, 1024, 1) {
    SHARED(shared);
    run<3, 8>(args, shared);
}
