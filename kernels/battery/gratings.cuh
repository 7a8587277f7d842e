// Assay G, twin of src/battery/gratings.rs: what neurons are shown of a grating, how one of them learns, and what it then answers. All
// of it is one thread's: neurons of a population have inputs in common and nothing else, and whoever needs an input makes it.
#pragma once
#include <type_traits>

#include "../network/rules.cuh"
#include "../rng.cuh"

namespace battery::gratings {

constexpr uint32_t NUMBER = 6;
constexpr float TURN = 6.28318531f, EIGHTH = 0.785398163f;

// What is shown: KINDS of filters, each one's sign and size in a phase.
struct Linear {
    static constexpr uint32_t KINDS = 2;
    static constexpr bool IS_SIGNED = true;

    __device__ __forceinline__ static void of(float sin, float cos, float (&kinds)[KINDS]) {
        kinds[0] = cos;
        kinds[1] = sin;
    }
};

struct Simple {
    static constexpr uint32_t KINDS = 4;
    static constexpr bool IS_SIGNED = false;

    __device__ __forceinline__ static void of(float sin, float cos, float (&kinds)[KINDS]) {
        kinds[0] = fmaxf(cos, 0.0f);
        kinds[1] = fmaxf(sin, 0.0f);
        kinds[2] = fmaxf(-cos, 0.0f);
        kinds[3] = fmaxf(-sin, 0.0f);
    }
};

struct Energy {
    static constexpr uint32_t KINDS = 1;
    static constexpr bool IS_SIGNED = false;

    __device__ __forceinline__ static void of(float, float, float (&kinds)[KINDS]) { kinds[0] = 1.0f; }
};

// G of all orientations and filters, in a block's shared memory.
struct Gains {
    float* values;  // [orientation][filter]

    // All threads of a block; to be read after a barrier.
    __device__ __forceinline__ void fill() const {
        for (uint32_t i = threadIdx.x; i < GRATING_ORIENTATIONS * GRATING_ORIENTATIONS; i += blockDim.x) {
            const float apart = EIGHTH * ((float)(i / GRATING_ORIENTATIONS) - (float)(i % GRATING_ORIENTATIONS));
            float sin, cos;
            num::sin_cos(apart, sin, cos);
            values[i] = num::exp(2.0f * (cos - 1.0f));
        }
    }

    template <class Shown>
    __device__ __forceinline__ void show(uint32_t orientation, float phase,
                                         float (&input)[Shown::KINDS * GRATING_ORIENTATIONS]) const {
        float sin, cos, kinds[Shown::KINDS];
        num::sin_cos(phase, sin, cos);
        Shown::of(sin, cos, kinds);
#pragma unroll
        for (uint32_t filter = 0; filter < GRATING_ORIENTATIONS; ++filter) {
            const float gain = values[orientation * GRATING_ORIENTATIONS + filter];
#pragma unroll
            for (uint32_t kind = 0; kind < Shown::KINDS; ++kind) input[kind * GRATING_ORIENTATIONS + filter] = gain * kinds[kind];
        }
    }
};

// Before it learns.
template <class Shown, bool IS_SPIKING, uint32_t INPUTS>
__device__ __forceinline__ void draw(const Row& row, uint32_t number, rules::Neuron<INPUTS>& neuron) {
    constexpr float LEAST = IS_SPIKING ? 0.3f : 0.1f, RANGE = IS_SPIKING ? 0.2f : 0.4f;
#pragma unroll
    for (uint32_t i = 0; i < INPUTS; i += 4) {
        const uint32_t block = (number * INPUTS + i) / 4;
        if constexpr (Shown::IS_SIGNED) {
            const float4 drawn = normals(row, block);
            neuron.weights[i] = 0.4f * drawn.x;
            neuron.weights[i + 1] = 0.4f * drawn.y;
            neuron.weights[i + 2] = 0.4f * drawn.z;
            neuron.weights[i + 3] = 0.4f * drawn.w;
        } else {
            const uint4 drawn = words(row, block);
            neuron.weights[i] = LEAST + RANGE * unit_uniform(drawn.x);
            neuron.weights[i + 1] = LEAST + RANGE * unit_uniform(drawn.y);
            neuron.weights[i + 2] = LEAST + RANGE * unit_uniform(drawn.z);
            neuron.weights[i + 3] = LEAST + RANGE * unit_uniform(drawn.w);
        }
    }
}

template <class Shown, bool IS_SPIKING>
__device__ __forceinline__ void live(const GratingsArgs& args, const Gains& gains) {
    gains.fill();
    __syncthreads();
    const uint32_t number = blockIdx.x * blockDim.x + threadIdx.x, population = number / GRATING_NEURONS;
    if (population >= args.count) return;
    constexpr uint32_t INPUTS = Shown::KINDS * GRATING_ORIENTATIONS;
    // At rest.
    std::conditional_t<IS_SPIKING, rules::SpikingNeuron<INPUTS>, rules::Neuron<INPUTS>> neuron = {};
    draw<Shown, IS_SPIKING>({args.seed, STREAM_LOCAL_WEIGHTS, NUMBER, population}, number % GRATING_NEURONS, neuron);
    neuron.threshold = 0.1f;

    const Row row = {args.seed, STREAM_GRATING, NUMBER, population};
    const float fixed = TURN * unit_uniform(words(row, ~0u).x);
    float input[INPUTS];
    for (uint32_t hold = 0; hold < args.holds; ++hold) {
        const uint4 of_hold = words(row, 3 * hold);
        uint4 of_shown = make_uint4(0, 0, 0, 0);
        // Not unrolled: eight presentations would be more instructions than the nearest caches hold.
#pragma unroll 1
        for (uint32_t shown = 0; shown < GRATING_HOLD; ++shown) {
            float phase = fixed;
            if (args.phases == PHASES_RANDOM) {
                of_shown = shown % 4 == 0 ? words(row, 3 * hold + 1 + shown / 4)
                                          : make_uint4(of_shown.y, of_shown.z, of_shown.w, 0);
                phase = TURN * unit_uniform(of_shown.x);
            } else if (args.phases == PHASES_DRIFT) {
                phase = TURN * unit_uniform(of_hold.y) + EIGHTH * (float)shown;
            }
            gains.template show<Shown>(of_hold.x >> 29, phase, input);
            neuron.step(args, input);
        }
    }

    float* to = args.responses + (size_t)number * GRATING_ORIENTATIONS * GRATING_PHASES;
    for (uint32_t orientation = 0; orientation < GRATING_ORIENTATIONS; ++orientation) {
#pragma unroll 1
        for (uint32_t i = 0; i < GRATING_PHASES; ++i) {
            gains.template show<Shown>(orientation, TURN * ((float)i + 0.5f) / (float)GRATING_PHASES, input);
            neuron.respond(args, input);
            *to++ = neuron.output;
        }
    }
}

}  // namespace battery::gratings
