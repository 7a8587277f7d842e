// Twin of src/task/iaf.rs. The i-th spike of the unit is matched with the i-th of the model, so the cost of a pair is
// known as soon as the unit's spike is there: the model's train is known beforehand, as bits, and is read ahead.
#pragma once
#include "../gpu.cuh"

// The fitness of one environment, in the registers of its lane.
struct IafFitness {
    const uint32_t* spikes;  // of the model: word i at spikes[i * lanes]
    uint32_t lanes, words, index, word;
    int32_t last_model, last_unit;
    float threshold, cost;

    __device__ __forceinline__ IafFitness(const RolloutArgs& args, const uint32_t* target, uint32_t environment)
        : spikes(target + environment),
          lanes(args.lanes),
          words((args.length + 31) / 32),
          index(0),
          word(spikes[0]),
          last_model(-1),
          last_unit(-1),
          threshold(args.spike_threshold),
          cost(0.0f) {}

    // Elements of the target of one trial.
    __device__ static __forceinline__ uint32_t target_length(const RolloutArgs& args) {
        return (args.length + 31) / 32 * args.lanes;
    }

    // Whether the model spikes once more, and its interval.
    __device__ __forceinline__ bool next_of_model(float& interval) {
        while (word == 0) {
            if (index + 1 >= words) return false;
            word = spikes[++index * lanes];
        }
        const int32_t step = (int32_t)(32 * index) + __ffs((int)word) - 1;
        word &= word - 1;
        interval = (float)(step - last_model);
        last_model = step;
        return true;
    }

    __device__ __forceinline__ void add(float height, float interval) {
        cost = fmaf(height, height, cost);
        cost = fmaf(interval, interval, cost);
    }

    __device__ __forceinline__ void step(int32_t step, float output) {
        if (output > threshold || is_nan(output)) {
            float interval = 0.0f;
            const float height = next_of_model(interval) ? 1.0f : 0.0f;
            add(height - output, interval - (float)(step - last_unit));
            last_unit = step;
        }
    }

    __device__ __forceinline__ float finish() {
        float interval;
        while (next_of_model(interval)) add(1.0f, interval);
        return -cost;
    }
};
