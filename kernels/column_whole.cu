// A cortical column that takes several blocks, up to all multiprocessors, in time; column_wiring.cu draws its synapses. Twin of
// src/column/simulation.rs in parts: the same spikes for any number of blocks.
//
// `column_whole_one` (one current), `column_whole_three` (one for each kind): a cooperative launch, all steps in it. A block owns
// some strips of 32 neurons and the synapses onto these, a warp one strip, with potential, current and spikes from outside in
// registers; further warps only bring synapses. In shared memory lies a ring of sums, one for each neuron and step to come:
// when a spike is known, all synapses of its row in the block are added to it at once, eight lanes a row, and nobody has to
// remember spikes.
//
// Blocks share nothing but who fired. Every block writes a word for a step: how many, the first three of them, and the step;
// further ones lie beside it. Every block reads the words of all blocks, a thread a word, again and again until it has the
// step. So a word is message and barrier in one, and a step takes one way through L2 and back. Two words a block, in turns: who
// writes the next but one has read what all wrote in between, which they did only after reading the one that it overwrites.
//
// Limited by latency: the word's way, a row's place, its synapses, the neurons; one after the other (kernels/README.md).
#include "column_neuron.cuh"
#include "ptx.cuh"

namespace columns {

// Lanes that bring a row's synapses, and how many each asks for at a time: these are 29 in the whole published column on 132
// blocks.
constexpr uint32_t ROW_BRINGERS = 8, AT_A_TIME = 4;
constexpr uint32_t MAIL_MASK = (1u << MAIL_BITS) - 1, MAIL_STEP = MAIL_BITS * (MAIL_LANES + 1);
constexpr uint32_t STEP_MASK = (1u << (64 - MAIL_STEP)) - 1;

// A block's part of a column as it has it in shared memory; the host counts the same bytes.
template <uint32_t CHANNELS>
struct Part {
    static constexpr uint32_t SIGNS = CHANNELS == 1 ? 1 : 2;

    const ColumnsArgs& args;
    const Column column;  // a copy, which nobody else can change
    ColumnStrip* strips;  // [block_strips]
    int32_t* ring;        // sums of what arrives, [step % LONGEST_DELAY][sign][lane]
    uint32_t* list;       // sources that fired
    uint32_t* counts;     // spikes after the warm-up and in the early steps, [2][population]
    uint32_t* fired;      // neurons of this block, [parity of the step]
    uint32_t* heard;      // sources in the list, [parity of the step]
    uint32_t* near;       // the first lanes that fired, [parity of the step][MAIL_LANES]
    Outside outside;
    uint32_t lanes, mine, lane, local;  // lanes and strips of this block; of this thread in its strip, and in the block

    __device__ __forceinline__ Part(const ColumnsArgs& args, const Column& column, char* shared) : args(args), column(column) {
        lanes = 32 * column.block_strips;
        strips = (ColumnStrip*)shared;
        ring = (int32_t*)(strips + column.block_strips);
        list = (uint32_t*)ring + LONGEST_DELAY * SIGNS * lanes;
        counts = list + args.list;
        fired = counts + 2 * column.populations;
        heard = fired + 2;
        near = heard + 2;
        outside.laws = near + 2 * MAIL_LANES;
        outside.guides = (uint8_t*)(outside.laws + column.laws_count * COLUMN_LAW);
        const uint32_t first = blockIdx.x * column.block_strips;
        mine = min(column.block_strips, column.strips_count - first);
        lane = threadIdx.x % 32;
        local = threadIdx.x;
    }

    __device__ __forceinline__ uint32_t first_lane(uint32_t block) const { return block * lanes; }

    __device__ __forceinline__ const uint32_t* row_of(uint32_t source) const {
        return column.rows + (COLUMN_ROWS - 1) + blockIdx.x * column.sources + source;
    }

    __device__ __forceinline__ void fill() const {
        const uint32_t first = first_lane(blockIdx.x);
        each(mine, [&](uint32_t i) { strips[i] = column.strips[first / 32 + i]; });
        each(LONGEST_DELAY * SIGNS * lanes, [&](uint32_t i) { ring[i] = 0; });
        each(2 * column.populations, [&](uint32_t i) { counts[i] = 0; });
        each(2, [&](uint32_t i) { fired[i] = heard[i] = 0; });
        each(32 * mine, [&](uint32_t i) {
            if (column.input[first + i] > 0x7fffffffu) column.report->is_over = 1;
        });
        // Synapses of a source, over all blocks; the blocks share the sources.
        for (uint32_t source = blockIdx.x * blockDim.x + threadIdx.x; source < column.sources; source += gridDim.x * blockDim.x) {
            uint32_t synapses = 0;
            for (uint32_t block = 0; block < gridDim.x; ++block) {
                const uint32_t* const row = column.rows + (COLUMN_ROWS - 1) + block * column.sources + source;
                synapses += row[1] - row[0];
            }
            if (synapses > COLUMN_ROW_MOST) column.report->is_crowded = 1;
        }
        outside.fill_laws(column);
        __syncthreads();
        outside.fill_guides(column);
    }

    // Add what source_of(0 .. count) bring to the sums of the steps in which it arrives.
    template <class Source>
    __device__ __forceinline__ void bring(uint32_t step, uint32_t count, Source source_of) const {
        const uint32_t bringer = threadIdx.x % ROW_BRINGERS;
        for (uint32_t i = threadIdx.x / ROW_BRINGERS; i < count; i += blockDim.x / ROW_BRINGERS) {
            const uint32_t* const row = row_of(source_of(i));
            const uint32_t from = __ldg(row), to = __ldg(row + 1);
            for (uint32_t first = from + bringer; first < to; first += ROW_BRINGERS * AT_A_TIME) {
                ColumnSynapse some[AT_A_TIME];
                // There is something behind the last row.
#pragma unroll
                for (uint32_t k = 0; k < AT_A_TIME; ++k) some[k] = synapse(column, first + k * ROW_BRINGERS);
#pragma unroll
                for (uint32_t k = 0; k < AT_A_TIME; ++k)
                    if (first + k * ROW_BRINGERS < to) add(step, some[k]);
            }
        }
    }

    __device__ __forceinline__ void add(uint32_t step, ColumnSynapse synapse) const {
        const uint32_t slot = (step + (synapse.target >> COLUMN_DELAY_SHIFT)) % LONGEST_DELAY;
        const uint32_t sign = SIGNS == 2 && synapse.weight < 0;
        const uint32_t target = synapse.target & ((1u << COLUMN_DELAY_SHIFT) - 1);
        atomicAdd(ring + (slot * SIGNS + sign) * lanes + target, synapse.weight);
    }

    // Lanes that a word of mail has no room for.
    __device__ __forceinline__ uint32_t* far(uint32_t step, uint32_t block) const {
        return column.far + step % 2 * gridDim.x * lanes + first_lane(block);
    }

    // To all blocks, by one thread when all have told theirs; `is_early`: what they wrote besides is to be seen, too.
    __device__ __forceinline__ void send(uint32_t step, bool is_early) const {
        const uint32_t count = fired[step % 2];
        uint64_t word = (uint64_t)(step & STEP_MASK) << MAIL_STEP | count;
        for (uint32_t i = 0; i < MAIL_LANES; ++i)
            if (i < count) word |= (uint64_t)near[step % 2 * MAIL_LANES + i] << MAIL_BITS * (i + 1);
        if (is_early || count > MAIL_LANES) __threadfence();
        ptx::store_relaxed(column.mail + step % 2 * gridDim.x + blockIdx.x, word);
    }

    __device__ __forceinline__ uint64_t await(uint32_t step, uint32_t block) const {
        const uint64_t* const from = column.mail + step % 2 * gridDim.x + block;
        for (;;) {
            const uint64_t word = ptx::load_relaxed(from);
            if ((uint32_t)(word >> MAIL_STEP) == (step & STEP_MASK)) return word;
            ptx::let_others_run();
        }
    }

    // Source number i of those that a word of a block tells of.
    __device__ __forceinline__ uint32_t source_of(uint64_t word, uint32_t step, uint32_t block, uint32_t i) const {
        if (i >= MAIL_LANES) return first_lane(block) + __ldcg(far(step, block) + i);
        return first_lane(block) + ((uint32_t)(word >> MAIL_BITS * (i + 1)) & MAIL_MASK);
    }

    // From all blocks, a thread a block; whether the column goes on.
    __device__ __forceinline__ bool hear(uint32_t step, bool is_early, uint32_t& volley, uint32_t& volley_step) const {
        const uint32_t block = threadIdx.x;
        uint64_t word = 0;
        uint32_t count = 0, first = 0;
        if (block < gridDim.x) {
            word = await(step, block);
            count = (uint32_t)word & MAIL_MASK;
            if (is_early || count > MAIL_LANES) __threadfence();
        }
        // Those with numbers from `begin` on that the list has room for.
        const auto note = [&](uint32_t begin) {
            for (uint32_t i = 0; i < count; ++i)
                if (first + i - begin < args.list) list[first + i - begin] = source_of(word, step, block, i);
        };
        if (count) {
            first = atomicAdd(heard + step % 2, count);
            note(0);
        }
        __syncthreads();
        if (is_early && fires_too_much()) return false;
        const uint32_t all = heard[step % 2];
        for (uint32_t begin = 0;;) {
            bring(step, min(all - begin, args.list), [&](uint32_t i) { return list[i]; });
            begin += args.list;
            if (begin >= all) break;
            __syncthreads();
            note(begin);
            __syncthreads();
        }
        if (step == volley_step) {
            const ColumnVolley& now = column.volleys[volley];
            bring(step, now.end - now.begin, [&](uint32_t i) { return column.scheduled[now.begin + i]; });
            volley_step = step_of_volley(++volley);
        }
        return true;
    }

    __device__ __forceinline__ uint32_t step_of_volley(uint32_t number) const {
        return number < column.volleys_count ? column.volleys[number].step : 0;
    }

    // Once all blocks have added their counts.
    __device__ __forceinline__ bool fires_too_much() const {
        bool is_over = false;
        for (uint32_t p = 0; p < column.populations; ++p)
            is_over |= __ldcg(column.counts + column.populations + p) > column.limits[p];
        return is_over;
    }

    __device__ __forceinline__ void run() const {
        fill();
        const bool has_strip = local < 32 * mine;
        const ColumnStrip& strip = strips[has_strip ? local / 32 : 0];
        const uint32_t quiet = column.quiet, together = column.together, early = column.early;
        const uint32_t mask = together == 8 ? 15u : 255u;
        uint32_t u = has_strip ? __float_as_uint(column.first[first_lane(blockIdx.x) + local]) : 0;
        uint32_t coming = 0, volley = 0, volley_step = step_of_volley(0);
        float current[CHANNELS] = {};
        // Spikes from outside, if they are due for this step.
        const auto draw = [&](uint32_t step) {
            const bool is_due = step > quiet && ((step - 1) % together == 0 || step == quiet + 1);
            if (is_due && has_strip && strip.law != NO_LAW)
                coming = outside.draw(column, strip, lane, (step - 1) / 8, (step - 1) % 8 >= 4);
        };
        __syncthreads();
        draw(1);
        for (uint32_t step = 1; step <= args.steps; ++step) {
            const uint32_t place = (step - 1) % 8, shift = 8 * (place % 4) + (together == 8 ? place & 4u : 0);
            const bool is_early = step == early;
            bool fires = false;
            if (has_strip) {
                int32_t* const sums = ring + step % LONGEST_DELAY * SIGNS * lanes + local;
                const float outside = (float)(int32_t)(coming >> shift & mask);
                fires = move(column, strip, sums, lanes, step, outside, u, current) && lane < strip.neurons;
            }
            if (fires) {
                const uint32_t i = atomicAdd(fired + step % 2, 1u);
                if (i < MAIL_LANES)
                    near[step % 2 * MAIL_LANES + i] = local;
                else
                    far(step, blockIdx.x)[i] = local;
                if (step <= early) atomicAdd(counts + column.populations + strip.population, 1u);
                if (step > args.warm) atomicAdd(counts + strip.population, 1u);
            }
            __syncthreads();
            if (is_early) {
                each(column.populations, [&](uint32_t p) {
                    atomicAdd(column.counts + column.populations + p, counts[column.populations + p]);
                });
                __syncthreads();
            }
            if (threadIdx.x == 0) {
                send(step, is_early);
                // Read for the last time in the step before.
                fired[(step + 1) % 2] = heard[(step + 1) % 2] = 0;
            }
            if (fires && step > args.warm && column.room) write_down(column, strip, step, lane);
            draw(step + 1);
            if (!hear(step, is_early, volley, volley_step)) {
                column.report->is_stopped = 1;
                break;
            }
            __syncthreads();
        }
        each(column.populations, [&](uint32_t p) { atomicAdd(column.counts + p, counts[p]); });
    }
};

}  // namespace columns

KERNEL(column_whole_one, ColumnsArgs, 768, 1) {
    SHARED(shared);
    columns::Part<1>(args, *args.columns, shared).run();
}

KERNEL(column_whole_three, ColumnsArgs, 768, 1) {
    SHARED(shared);
    columns::Part<3>(args, *args.columns, shared).run();
}
