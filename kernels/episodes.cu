// Episodes of K generations and all trials at once, drawn on the device: the unit's inputs and the model's answer.
// A thread an environment. Twins: Task::draw in src/task/. Limited by the stores; a few microseconds for a batch.
#include "rng.cuh"

namespace {

struct Environment {
    Row row;
    bool live;
    uint32_t index;
    float* inputs;  // channel c of step s at inputs[(s * channels + c) * lanes]
    uint32_t* target;
};

__device__ __forceinline__ Environment environment(const DrawArgs& args, uint32_t channels, uint32_t target_steps) {
    const uint32_t index = blockIdx.x * THREADS + threadIdx.x, generation = blockIdx.y, trial = blockIdx.z;
    const uint32_t slot = generation * gridDim.z + trial;
    const uint32_t number = args.steps ? args.steps[generation].generation : 0;
    return {{args.seeds[trial], args.stream, number, index},
            index < args.environments,
            index,
            args.inputs + (size_t)slot * args.length * channels * args.lanes + index,
            args.target + (size_t)slot * target_steps * args.lanes + index};
}

__device__ __forceinline__ float component(const uint4& words, uint32_t i) {
    return unit_uniform(i == 0 ? words.x : i == 1 ? words.y : i == 2 ? words.z : words.w);
}

// Multiply-shift onto 0..n.
__device__ __forceinline__ uint32_t below(uint32_t word, uint32_t n) { return __umulhi(word, n); }

__device__ float weight_change(const DrawArgs& args, int32_t delay, bool modulator) {
    const float size = args.amplitude * num::exp(-(float)abs(delay) / args.tau);
    const float omega = size * (float)((delay > 0) - (delay < 0));
    if (!args.complex) return modulator ? omega : 0.0f;
    if (!modulator) return 0.5f * num::cos(10.0f * omega);
    return fabsf(omega) - 0.1f * (num::cos(20.0f * omega) - 1.0f);
}

}  // namespace

KERNEL(draw_iaf, DrawArgs, THREADS, 1) {
    const Environment e = environment(args, 1, (args.length + 31) / 32);
    if (e.index >= args.lanes) return;
    const float shared = args.steps ? args.steps[blockIdx.y].shared : 0.0f;
    const float common = unit_uniform(words(e.row, (args.length + 3) / 4).x);
    float potential = 0.0f;
    uint32_t spikes = 0;
    uint4 block = {};
    for (uint32_t step = 0; step < args.length; ++step) {
        if (step % 4 == 0) block = words(e.row, step / 4);
        const float u = fmaf(common, shared, component(block, step % 4) * (1.0f - shared));
        const float current = e.live ? fmaf(u, args.input_width, args.input_min) : 0.0f;
        e.inputs[(size_t)step * args.lanes] = current;
        potential = potential + current;
        if (e.live && potential >= args.threshold) {
            potential = 0.0f;
            spikes |= 1u << step % 32;
        }
        if (step % 32 == 31 || step + 1 == args.length) {
            e.target[(size_t)(step / 32) * args.lanes] = spikes;
            spikes = 0;
        }
    }
}

KERNEL(draw_stdp, DrawArgs, THREADS, 1) {
    const Environment e = environment(args, 4, args.length);
    if (e.index >= args.lanes) return;
    const uint32_t first = args.length / 4, end = max(3 * args.length / 4, first + 1);
    const uint4 pair = words(e.row, (args.length + 3) / 4);
    const uint32_t pre = first + below(pair.x, end - first);
    const uint32_t far = pre + below(pair.y, 2 * args.max_delay + 1);
    const uint32_t post = min(far > args.max_delay ? far - args.max_delay : 0, args.length - 1);
    const bool modulator = unit_uniform(pair.z) < 0.5f;
    const float changed = 1.0f + weight_change(args, (int32_t)post - (int32_t)pre, modulator);
    uint4 block = {};
    for (uint32_t step = 0; step < args.length; ++step) {
        if (step % 4 == 0) block = words(e.row, step / 4);
        const float x = e.live ? fmaf(component(block, step % 4), args.input_width, args.input_min) : 0.0f;
        float* const channel = e.inputs + (size_t)step * 4 * args.lanes;
        channel[0] = x;
        channel[args.lanes] = e.live && step == pre ? 1.0f : 0.0f;
        channel[2 * args.lanes] = e.live && modulator ? 1.0f : 0.0f;
        channel[3 * args.lanes] = e.live && step == post ? 1.0f : 0.0f;
        const float answer = x * (step >= max(pre, post) ? changed : 1.0f);
        e.target[(size_t)step * args.lanes] = __float_as_uint(answer);
    }
}
