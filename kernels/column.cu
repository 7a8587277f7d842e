// Cortical columns in time, many side by side, each with parameters of its own; column_wiring.cu draws their synapses,
// column_whole.cu steps those that take several blocks. Twin of src/column/simulation.rs, whose sums are sums of integers and
// whose numbers are drawn by counter: the same spikes, in whatever order threads and columns take their turns.
//
// `column_one` (one current), `column_three` (one for each kind) and `column_one_wide`: a block a column, all steps in
// one launch. A thread owns the same lane of every so many strips of 32 lanes, with potential and current in registers; in
// shared memory lie the sums of what arrives, spikes from outside of eight steps in 4 bits each, what the strips share, and
// the spikes whose synapses have not all acted. Eight lanes bring a spike's synapses of the delay that is due.
//
// Limited by issue: 32 instructions a neuron and step for the neuron and 20 for what comes from outside (kernels/README.md).
#include "column_neuron.cuh"
#include "ptx.cuh"

namespace columns {

// Steps whose first spikes are remembered: at least one more than the longest delay.
constexpr uint32_t BEGINS = 2 * LONGEST_DELAY;
// Lanes that bring a spike's synapses: these are 13 a step in the published column.
constexpr uint32_t BRINGERS = 8;

// A strip in shared memory, with what changes from step to step. The host knows its size.
template <uint32_t SIGNS>
struct Seats {
    ColumnStrip strip;
    int32_t sums[SIGNS][32];  // of what arrives, or of the positive and of the negative weights
    uint32_t outside[32];     // spikes from outside
};

// What all threads know of their column.
struct Known {
    uint32_t spikes;   // how many there have been
    uint32_t longest;  // steps of the longest delay
    uint32_t volley;   // of generators: the next one's number
    uint32_t event;    // step of that or of the look at the limits, whichever comes first
};

// A column as its block has it in shared memory; the host counts the same bytes.
template <uint32_t CHANNELS, uint32_t STRIPS>
struct Stepper {
    static constexpr uint32_t SIGNS = CHANNELS == 1 ? 1 : 2;

    const ColumnsArgs& args;
    const Column& column;
    Seats<SIGNS>* seats;  // [strip]
    uint32_t* list;       // spikes that act: number of the source, and 6 bits of the step
    uint32_t* begins;     // number of the first spike of a step, [step % BEGINS]
    uint32_t* counts;     // spikes after the warm-up and in the early steps, [2][population]
    Known* known;
    Outside outside;
    uint32_t lane, first, mine;  // of this warp: its first strip, and how many it has

    __device__ __forceinline__ Stepper(const ColumnsArgs& args, const Column& column, char* shared)
        : args(args), column(column) {
        seats = (Seats<SIGNS>*)shared;
        list = (uint32_t*)(seats + column.strips_count);
        outside.laws = list + args.list;
        begins = outside.laws + column.laws_count * COLUMN_LAW;
        counts = begins + BEGINS;
        known = (Known*)(counts + 2 * column.populations);
        outside.guides = (uint8_t*)(known + 1);
        const uint32_t warp = threadIdx.x / 32, warps = blockDim.x / 32;
        lane = threadIdx.x % 32;
        first = warp * column.strips_count / warps;
        mine = (warp + 1) * column.strips_count / warps - first;
    }

    // The first event after a step, with volley number `volley` the next.
    __device__ __forceinline__ uint32_t event_after(uint32_t step, uint32_t volley) const {
        const uint32_t fires = volley < column.volleys_count ? column.volleys[volley].step : ~0u;
        return step < column.early ? min(fires, column.early) : fires;
    }

    __device__ __forceinline__ void fill() const {
        each(column.strips_count, [&](uint32_t i) { seats[i].strip = column.strips[i]; });
        outside.fill_laws(column);
        each(32 * column.strips_count, [&](uint32_t i) {
            for (uint32_t sign = 0; sign < SIGNS; ++sign) seats[i / 32].sums[sign][i % 32] = 0;
            seats[i / 32].outside[i % 32] = 0;
            if (column.input[i] > 0x7fffffffu) column.report->is_over = 1;
        });
        each(2 * column.populations, [&](uint32_t i) { counts[i] = 0; });
        each(1, [&](uint32_t) { *known = {0, column.report->longest, 0, event_after(0, 0)}; });
        __syncthreads();
        outside.fill_guides(column);
    }

    __device__ __forceinline__ void draw_all(uint32_t step) const {
        for (uint32_t k = 0; k < mine; ++k) {
            Seats<SIGNS>& all = seats[first + k];
            if (all.strip.law == NO_LAW) continue;
            all.outside[lane] = outside.draw(column, all.strip, lane, (step - 1) / 8, (step - 1) % 8 >= 4);
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
                const ColumnSynapse arriving = synapse(column, s);
                int32_t* const sum = (int32_t*)seats + arriving.target;
                atomicAdd(SIGNS == 2 && arriving.weight < 0 ? sum + 32 : sum, arriving.weight);
            }
            // What arrives in the next step lies behind.
            if (bringer < 4) ptx::prefetch(column.synapses + to + 4 * bringer);
        }
    }

    __device__ __forceinline__ void remember(uint32_t source, uint32_t step, uint32_t far) const {
        const uint32_t i = atomicAdd(&known->spikes, 1u), entry = source * LONGEST_DELAY + step % LONGEST_DELAY;
        if ((int32_t)(i - far) < 0)
            list[i & (args.list - 1)] = entry;
        else
            column.far[i & (column.overflow - 1)] = entry;
    }

    // What happens in few steps: generators fire, and somebody has fired too much. Whether the column goes on.
    __device__ __forceinline__ bool meet_event(uint32_t step, uint32_t far) const {
        uint32_t volley = known->volley;
        if (volley < column.volleys_count && column.volleys[volley].step == step) {
            const uint32_t begin = column.volleys[volley].begin;
            each(column.volleys[volley].end - begin, [&](uint32_t i) { remember(column.scheduled[begin + i], step, far); });
            ++volley;
        }
        // All have told who fired, and have read which volley it is.
        __syncthreads();
        each(1, [&](uint32_t) {
            known->volley = volley;
            known->event = event_after(step, volley);
        });
        bool goes_on = true;
        if (step == column.early)
            for (uint32_t p = 0; p < column.populations; ++p) goes_on &= counts[column.populations + p] <= column.limits[p];
        return goes_on;
    }

    // Those that fired: strip k where bit k is set.
    __device__ __forceinline__ void tell(uint32_t fired, uint32_t step, uint32_t far) const {
        while (fired) {
            const ColumnStrip& strip = seats[first + __ffs(fired) - 1].strip;
            fired &= fired - 1;
            if (lane >= strip.neurons) continue;
            remember(strip.first_source + lane, step, far);
            if (step <= column.early) atomicAdd(counts + column.populations + strip.population, 1u);
            if (step <= args.warm) continue;
            atomicAdd(counts + strip.population, 1u);
            if (column.room) write_down(column, strip, step, lane);
        }
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
            const uint32_t end = known->spikes, longest = known->longest;
            const uint32_t begin = step > longest ? begins[(step - longest) % BEGINS] : 0;
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
                if (move(column, all.strip, all.sums[0] + lane, 32, step, coming, u[k], current[k])) fired |= 1u << k;
            }
            tell(fired, step, far);
            if (step == known->event && !meet_event(step, far)) {
                column.report->is_stopped = 1;
                break;
            }
            __syncthreads();
        }
        each(column.populations, [&](uint32_t i) { column.counts[i] = counts[i]; });
    }
};

template <uint32_t CHANNELS, uint32_t STRIPS>
__device__ __forceinline__ void run(const ColumnsArgs& args, char* shared) {
    Stepper<CHANNELS, STRIPS>(args, args.columns[blockIdx.x], shared).run();
}

}  // namespace columns

KERNEL(column_one, ColumnsArgs, 512, 2) {
    SHARED(shared);
    columns::run<1, 16>(args, shared);
}

KERNEL(column_one_wide, ColumnsArgs, 1024, 1) {
    SHARED(shared);
    columns::run<1, 16>(args, shared);
}

KERNEL(column_three, ColumnsArgs, 1024, 1) {
    SHARED(shared);
    columns::run<3, 8>(args, shared);
}
