// The synapses of cortical columns, many columns side by side, each with parameters of its own; drawn by counter, as in
// src/column/wiring.rs, of which this is the twin.
//
// `column_count` draws every synapse's source and delay and counts them, a thread two synapses; `column_scan` adds the counts
// up, a block a column; `column_scatter` draws the same synapses with target and weight and puts each where there is room for
// its like, in no order. Like are those of a source and delay; in a column of several blocks (`_whole`), which are read by
// blocks as soon as a spike is known, those of a block and source. 8 bytes a synapse: of a weight's 31 bits some 22 are in use,
// and of the lanes 13, so that one word does not hold both.
//
// Limited by atomics in L2, three a synapse, and by issue: 115 instructions a synapse to count and 200 to place
// (kernels/README.md).
#include "rng.cuh"

namespace {

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
    uint32_t* const delays = (uint32_t*)(pairs + column.pairs_count);
    for (uint32_t i = threadIdx.x; i < column.pairs_count; i += blockDim.x) pairs[i] = column.pairs[i];
    for (uint32_t i = threadIdx.x; i < DELAY_LAWS * LONGEST_DELAY; i += blockDim.x) delays[i] = column.delays[i];
    __syncthreads();
    uint32_t p = 0, begin = 0;
    const uint32_t end = pairs[column.pairs_count - 1].end, step = gridDim.x * blockDim.x;
    for (uint32_t unit = blockIdx.x * blockDim.x + threadIdx.x; unit < end; unit += step) {
        while (unit >= pairs[p].end) begin = pairs[p++].end;
        const uint32_t at = unit - begin, first = at / 32 * WIRING_GROUP + at % 32, second = first + WIRING_GROUP / 2;
        const Row row = wiring_row(column, pairs[p], 0);
        use(pairs[p], delays + pairs[p].law * LONGEST_DELAY, first, second, words(row, first), words(row, second));
    }
}

// A synapse but for its weight.
struct Place {
    uint32_t lane, delay, number;  // the last: of its counter
};

template <bool WHOLE>
__device__ __forceinline__ Place place_of(const Column& column, const ColumnPair& pair, const uint32_t* delays, const uint4& words) {
    const uint32_t source = pair.first_source + __umulhi(words.x, pair.sources);
    const uint32_t lane = pair.first_lane + __umulhi(words.y, pair.targets), delay = delay_of(delays, words.z);
    const uint32_t number =
        WHOLE ? lane / (32 * column.block_strips) * column.sources + source : source * LONGEST_DELAY + delay - 1;
    return {lane, delay, COLUMN_ROWS + number};
}

template <bool WHOLE>
__device__ __forceinline__ void put(const Column& column, const Place& place, float weight) {
    // Exact but for the rounding to an integer: the scale is a power of two.
    const int32_t units = __float2int_rn(weight * column.scale);
    const uint32_t target = WHOLE ? place.lane % (32 * column.block_strips) | place.delay << COLUMN_DELAY_SHIFT
                                  : place.lane / 32 * column.seat_words + sizeof(ColumnStrip) / 4 + place.lane % 32;
    column.synapses[atomicAdd(column.rows + place.number, 1u)] = {target, units};
    const unsigned long long size = units < 0 ? -(long long)units : units;
    atomicAdd((unsigned long long*)column.input + place.lane, size);
}

template <bool WHOLE>
__device__ __forceinline__ void count_all(const Column& column, char* shared) {
    uint32_t longest = 0;
    const auto count = [&](const ColumnPair& pair, const uint32_t* delays, const uint4& words) {
        const Place place = place_of<WHOLE>(column, pair, delays, words);
        atomicAdd(column.rows + place.number, 1u);
        longest = max(longest, place.delay);
    };
    each_two(column, shared,
             [&](const ColumnPair& pair, const uint32_t* delays, uint32_t first, uint32_t second, const uint4& a, const uint4& b) {
                 if (first < pair.synapses) count(pair, delays, a);
                 if (second < pair.synapses) count(pair, delays, b);
             });
    longest = __reduce_max_sync(~0u, longest);
    if (threadIdx.x % 32 == 0) atomicMax(&column.report->longest, longest);
}

template <bool WHOLE>
__device__ __forceinline__ void scatter_all(const Column& column, char* shared) {
    each_two(column, shared,
             [&](const ColumnPair& pair, const uint32_t* delays, uint32_t first, uint32_t second, const uint4& a, const uint4& b) {
                 const float2 normals = normal_pair(a.w, b.w);
                 const auto place = [&](uint32_t number, const uint4& words, float normal) {
                     const float weight = weight_of(column, pair, number, normal);
                     put<WHOLE>(column, place_of<WHOLE>(column, pair, delays, words), weight);
                 };
                 if (first < pair.synapses) place(first, a, normals.x);
                 if (second < pair.synapses) place(second, b, normals.y);
             });
}

}  // namespace

KERNEL(column_count, ColumnsArgs, 256, 4) {
    SHARED(shared);
    count_all<false>(args.columns[blockIdx.y], shared);
}

KERNEL(column_count_whole, ColumnsArgs, 256, 4) {
    SHARED(shared);
    count_all<true>(args.columns[blockIdx.y], shared);
}

KERNEL(column_scan, ColumnsArgs, 512, 2) {
    SHARED(shared);
    uint32_t* const sums = (uint32_t*)shared;
    const Column& column = args.columns[blockIdx.x];
    uint4* const fours = (uint4*)(column.rows + COLUMN_ROWS);
    const uint32_t count = column.rows_count / 4, warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    uint32_t before = 0;
    for (uint32_t first = 0; first < count; first += blockDim.x) {
        const uint32_t at = first + threadIdx.x;
        const uint4 four = at < count ? fours[at] : make_uint4(0, 0, 0, 0);
        const uint32_t own = four.x + four.y + four.z + four.w;
        if (column.blocks == 1) {
            // 16 threads have the counters of a source.
            uint32_t row = own;
            for (uint32_t by = 1; by < LONGEST_DELAY / 4; by *= 2) row += __shfl_xor_sync(~0u, row, by);
            if (row > COLUMN_ROW_MOST) column.report->is_crowded = 1;
        }
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
    scatter_all<false>(args.columns[blockIdx.y], shared);
}

KERNEL(column_scatter_whole, ColumnsArgs, 256, 4) {
    SHARED(shared);
    scatter_all<true>(args.columns[blockIdx.y], shared);
}
