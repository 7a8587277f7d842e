// Deep Q-learning of SynaptoGen's profiles, many learners side by side. Twin of src/synaptogen/dqn/learner.rs, to the
// bit: a block is one learner, from its steps in the world and the updates between them to its validations, in launches
// of some thousand steps.
//
// In shared memory lie the values and slopes of a profile, its mean network and a batch's activities; parameters,
// Adam's means and the transitions lie in global memory. The first warp steps the world, one lane of it, and asks the
// network; all threads learn. In a validation a warp plays an episode.
//
// Limited by the chain of a lone step of the world (lunar lander), else by shared memory and by the barriers of an
// update, 19 for two pairs of layers: see kernels/README.md.
#include "synaptogen_network.cuh"
#include "synaptogen_seat.cuh"

namespace dqn {

// Or 0 where it is nearer to 0 than `least`.
__device__ __forceinline__ float above(float x, float least) { return fabsf(x) < least ? 0.0f : x; }

// The highest of some outputs, of equal ones the first; NaN is never the highest.
__device__ __forceinline__ uint32_t highest(const float* outputs, uint32_t count) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; ++i)
        if (outputs[i] > outputs[best] || is_nan(outputs[best])) best = i;
    return best;
}

struct Learning : Network {
    LearnerState& state;  // in shared memory

    __device__ __forceinline__ uint32_t observations() const { return layers[0].neurons; }
    __device__ __forceinline__ uint32_t actions() const { return layers[pair_count()].neurons; }
    __device__ __forceinline__ void* seat_of(uint32_t i) const { return (char*)plan.seats + i * SEAT_BYTES; }
    // What was seen, what was seen next, action, reward, end.
    __device__ __forceinline__ float* transition(uint32_t i) const { return plan.replay + (size_t)i * plan.replay_width; }

    __device__ __forceinline__ uint32_t target_floats() const { return plan.matrix_floats + plan.bias_count; }

    // Of the block that asks, whose shared memory begins with all that is pointed to.
    __device__ __forceinline__ static Learning here() {
        SHARED(shared);
        Learner* const plan = (Learner*)shared;
        LearnerState* const state = (LearnerState*)(plan + 1);
        LearnerLayer* const layers = (LearnerLayer*)(state + 1);
        return {{*plan, layers, (LearnerPair*)(layers + plan->layer_count), (float*)shared}, *state};
    }

    __device__ __forceinline__ void begin() const {
        if (state.steps == 0) {
            if (threadIdx.x == 0) seat::begin(plan.world, seat_of(0), plan.seed, 0, at(plan.now));
            copy_to_target(threadIdx.x, blockDim.x);
        } else {
            for (uint32_t i = threadIdx.x; i < MOST_OBSERVED; i += blockDim.x) at(plan.now)[i] = plan.kept[i];
            for (uint32_t i = threadIdx.x; i < target_floats(); i += blockDim.x)
                at(plan.target)[i] = plan.kept[MOST_OBSERVED + i];
        }
        __syncthreads();
    }

    __device__ __forceinline__ void end() const {
        for (uint32_t i = threadIdx.x; i < MOST_OBSERVED; i += blockDim.x) plan.kept[i] = at(plan.now)[i];
        for (uint32_t i = threadIdx.x; i < target_floats(); i += blockDim.x)
            plan.kept[MOST_OBSERVED + i] = at(plan.target)[i];
        if (threadIdx.x == 0) *plan.state = state;
    }

    // By these threads.
    __device__ __forceinline__ void copy_to_target(uint32_t first, uint32_t step) const {
        for (uint32_t i = first; i < plan.matrix_floats; i += step) at(plan.target)[i] = at(plan.weights)[i];
        for (uint32_t i = first; i < plan.bias_count; i += step) at(plan.target)[plan.matrix_floats + i] = biases()[i];
    }

    // The world. Probability of a random action in the step after so many, twin of Hyperparameters::exploration.
    __device__ __forceinline__ double exploration(uint32_t steps) const {
        if (steps == 0) return 0.0;
        const double progress = (double)steps / (double)plan.total;
        if (progress > plan.exploration_fraction) return plan.exploration_final;
        return 1.0 + progress * (plan.exploration_final - 1.0) / plan.exploration_fraction;
    }

    __device__ __forceinline__ uint32_t act(uint32_t steps) const {
        const uint4 w = words({plan.seed, STREAM_EXPLORATION, 0, 0}, steps);
        const bool is_random = (double)w.x * (1.0 / 4294967296.0) < exploration(steps);
        if (steps < plan.learning_starts || is_random) return __umulhi(w.y, actions());
        return highest(ask(at(plan.now), 0), actions());
    }

    // Steps of the first warp, until the round is over or a validation is due.
    __device__ __forceinline__ void walk() const {
        const uint32_t lane = threadIdx.x % LANES;
        uint32_t steps = state.steps, round_steps = state.round_steps;
        float* const now = at(plan.now);
        do {
            const uint32_t action = act(steps);
            float* const remembered = transition(steps % plan.buffer);
            if (lane < observations()) remembered[lane] = now[lane];
            __syncwarp();
            bool is_over = false;
            if (lane == 0) {
                const Outcome outcome = seat::step(plan.world, seat_of(0), (int32_t)action, now);
                float* const rest = remembered + 2 * observations();
                rest[0] = (float)action;
                rest[1] = (float)outcome.reward;
                rest[2] = outcome.terminated ? 1.0f : 0.0f;
                ++state.length;
                is_over = outcome.terminated || state.length == plan.limit;
            }
            __syncwarp();
            if (lane < observations()) remembered[observations() + lane] = now[lane];
            ++steps;
            ++round_steps;
            if (steps % plan.target_update_interval == 0) copy_to_target(lane, LANES);
            __syncwarp();
            if (is_over) {
                ++state.episode;
                state.length = 0;
                seat::begin(plan.world, seat_of(0), plan.seed, state.episode, now);
            }
            __syncwarp();
        } while (round_steps < plan.train_frequency && steps % VALIDATION_INTERVAL != 0);
        if (lane == 0) {
            state.steps = steps;
            state.round_steps = round_steps;
        }
    }

    // Episodes of the mean agent, a warp each, and the parameters kept if no validation was as good.
    __device__ __forceinline__ void validate() const {
        for (uint32_t e = threadIdx.x / LANES; e < VALIDATION_EPISODES; e += blockDim.x / LANES) play(e);
        __syncthreads();
        if (threadIdx.x == 0) {
            double sum = 0.0;
            for (uint32_t e = 0; e < VALIDATION_EPISODES; ++e) sum = sum + plan.returns[e];
            const double mean = sum / (double)VALIDATION_EPISODES;
            plan.validations[state.validations++] = mean;
            state.is_best = mean > state.best_mean;
            if (state.is_best) state.best_mean = mean;
        }
        __syncthreads();
        if (state.is_best)
            for (uint32_t i = threadIdx.x; i < plan.parameter_count; i += blockDim.x) plan.best[i] = plan.parameters[i];
    }

    __device__ __forceinline__ void play(uint32_t e) const {
        const bool is_first_lane = threadIdx.x % LANES == 0;
        float* const seen = at(layers[0].activities) + e * layers[0].stride;
        void* const seat = seat_of(1 + e);
        if (is_first_lane)
            seat::begin(plan.world, seat, plan.validation_seed, state.validations * VALIDATION_EPISODES + e, seen);
        double sum = 0.0;
        uint32_t length = 0, is_over = 0;
        do {
            __syncwarp();
            const float* const outputs = ask(seen, e);
            if (is_first_lane) {
                const Outcome outcome = seat::step(plan.world, seat, (int32_t)highest(outputs, actions()), seen);
                sum = sum + outcome.reward;
                is_over = outcome.terminated || ++length == plan.limit;
            }
            is_over = __shfl_sync(~0u, is_over, 0);
        } while (!is_over);
        if (is_first_lane) plan.returns[e] = sum;
    }

    // An update. Draws the transitions of the batch and takes what was seen next for the target network.
    __device__ __forceinline__ void draw_batch() const {
        const uint32_t count = state.steps < plan.buffer ? state.steps : plan.buffer;
        // Four threads an example.
        for (uint32_t i = threadIdx.x / 4; i < plan.batch; i += blockDim.x / 4) {
            const uint4 w = words({plan.seed, STREAM_REPLAY, state.updates, 0}, i / 4);
            const uint32_t word = i % 4 == 0 ? w.x : i % 4 == 1 ? w.y : i % 4 == 2 ? w.z : w.w;
            const uint32_t chosen = __umulhi(word, count);
            if (threadIdx.x % 4 == 0) at(plan.examples)[i] = __uint_as_float(chosen);
            show(i, transition(chosen) + observations());
        }
    }

    // What was seen, for the network that learns.
    __device__ __forceinline__ void look_back() const {
        for (uint32_t i = threadIdx.x / 4; i < plan.batch; i += blockDim.x / 4)
            show(i, transition(__float_as_uint(at(plan.examples)[i])));
    }

    __device__ __forceinline__ void show(uint32_t example, const float* seen) const {
        float* const to = at(layers[0].activities) + example * layers[0].stride;
        for (uint32_t k = threadIdx.x % 4; k < observations(); k += 4) to[k] = seen[k];
    }

    // What the actions' values should have been, from the target network's outputs.
    __device__ __forceinline__ void aim() const {
        const LearnerLayer& last = layers[pair_count()];
        for (uint32_t i = threadIdx.x; i < plan.batch; i += blockDim.x) {
            const float* const values = at(last.activities) + i * last.stride;
            float best = values[0];
            for (uint32_t k = 1; k < last.neurons; ++k) best = values[k] > best || is_nan(values[k]) ? values[k] : best;
            const float* const rest = transition(__float_as_uint(at(plan.examples)[i])) + 2 * observations();
            at(plan.targets)[i] = rest[2] != 1.0f ? rest[1] + plan.discount * best : rest[1];
            at(plan.examples)[i] = rest[0];
        }
    }

    // The cotangents of smooth L1, in the place of the outputs.
    __device__ __forceinline__ void judge() const {
        const LearnerLayer& last = layers[pair_count()];
        const float share = 1.0f / (float)plan.batch;
        for (uint32_t i = threadIdx.x; i < plan.batch; i += blockDim.x) {
            float* const outputs = at(last.activities) + i * last.stride;
            const uint32_t action = (uint32_t)at(plan.examples)[i];
            const float difference = outputs[action] - at(plan.targets)[i];
            const float slope = fabsf(difference) < 1.0f || is_nan(difference) ? difference : copysignf(1.0f, difference);
            for (uint32_t k = 0; k < last.neurons; ++k) outputs[k] = k == action ? slope * share : 0.0f;
        }
    }

    // What all parameters' steps have in common, by the first warp: twin of src/search/adam.rs.
    __device__ __forceinline__ void clip() const {
        const float* const gradient = at(plan.gradient);
        const uint32_t lane = threadIdx.x;
        float part = 0.0f;
        if (lane < 16)
#pragma unroll 8
            for (uint32_t i = lane; i < plan.parameter_count; i += 16) {
                const float x = above(gradient[i], 0x1p-50f);
                part = fmaf(x, x, part);
            }
        const float norm = sqrtf(sum_of_parts(part)), factor = plan.clip / (norm + 1e-6f);
        if (lane == 0) {
            state.clip = factor > 1.0f ? 1.0f : factor;
            state.mean_power = state.mean_power * 0.9;
            state.square_power = state.square_power * 0.999;
            state.rate = (float)(plan.rate / (1.0 - state.mean_power));
            state.root = (float)sqrt(1.0 - state.square_power);
            ++state.updates;
        }
    }

    // A parameter and Adam's means of its gradients.
    struct Parameter {
        float x, mean, square;
    };

    // One parameter's step.
    __device__ __forceinline__ float step(uint32_t i, const Parameter& before, float factor, float rate,
                                          float root) const {
        constexpr float KEEP_MEAN = (float)0.9, KEEP_SQUARE = (float)0.999;
        constexpr float TAKE_MEAN = (float)(1.0 - 0.9), TAKE_SQUARE = (float)(1.0 - 0.999);
        const float g = above(at(plan.gradient)[i], 0x1p-110f) * factor, squared = above(g, 0x1p-50f);
        const float mean = above(KEEP_MEAN * before.mean + TAKE_MEAN * g, 0x1p-110f);
        const float square = above(KEEP_SQUARE * before.square + TAKE_SQUARE * (squared * squared), 0x1p-110f);
        const float x = before.x - rate * (mean / (sqrtf(square) / root + 1e-8f));
        plan.means[i] = mean;
        plan.squares[i] = square;
        plan.parameters[i] = x;
        return x;
    }

    // Parameters take a step, if they learn, and what follows from each alone.
    __device__ __forceinline__ void step_all(bool learns) const {
        const float factor = state.clip, rate = state.rate, root = state.root;
        each(
            plan.parameter_count,
            [&](uint32_t i) {
                return Parameter{plan.parameters[i], plan.means[i], plan.squares[i]};
            },
            [&](uint32_t i, const Parameter& before) {
                map(i, learns ? step(i, before, factor, rate, root) : before.x);
            });
    }

    // The mean network, from what `step_all` has left.
    __device__ __forceinline__ void assemble() const {
        share_and_reach();
        __syncthreads();
        connect();
        __syncthreads();
    }

    // Outputs of one network or the other for the batch.
    __device__ __forceinline__ void answer(bool is_target) const {
        const float* const weights = at(is_target ? plan.target : plan.weights);
        const float* const of_biases = is_target ? weights + plan.matrix_floats : biases();
        for (uint32_t p = 0; p < pair_count(); ++p) {
            // What was seen next is read by nobody any more.
            if (is_target && p == 1) look_back();
            forward(p, weights, of_biases);
            __syncthreads();
        }
    }
};

// What is called from several places, or takes registers of its own.
__device__ __noinline__ void step_all(bool learns) { Learning::here().step_all(learns); }
__device__ __noinline__ void assemble() { Learning::here().assemble(); }
__device__ __noinline__ void answer(bool is_target) { Learning::here().answer(is_target); }
__device__ __noinline__ void begin() { Learning::here().begin(); }
__device__ __noinline__ void walk() { Learning::here().walk(); }
__device__ __noinline__ void validate() { Learning::here().validate(); }

// From the gradient of the batch's last answers to that of the raw parameters.
__device__ __noinline__ void take_slopes() {
    const Learning learning = Learning::here();
    for (uint32_t p = learning.pair_count(); p-- > 0;) {
        learning.matrix_slopes(p);
        __syncthreads();
        if (p == 0) break;
        learning.activity_slopes(p);
        __syncthreads();
    }
    for (uint32_t p = 0; p < learning.pair_count(); ++p) {
        learning.wide_slopes(p);
        __syncthreads();
        learning.narrow_slopes(p);
        __syncthreads();
    }
    learning.finish();
    __syncthreads();
}

__device__ __noinline__ void update() {
    const Learning learning = Learning::here();
    learning.draw_batch();
    __syncthreads();
    answer(true);
    if (learning.pair_count() == 1) {
        learning.look_back();
        __syncthreads();
    }
    learning.aim();
    __syncthreads();
    answer(false);
    learning.judge();
    __syncthreads();
    take_slopes();
    if (threadIdx.x < LANES) learning.clip();
    __syncthreads();
    step_all(true);
    __syncthreads();
    assemble();
}

// Steps, and the updates that follow them.
__device__ __forceinline__ void round() {
    const Learning learning = Learning::here();
    LearnerState& state = learning.state;
    bool goes_on = true;
    while (goes_on) {
        if (threadIdx.x < LANES) walk();
        __syncthreads();
        goes_on = state.round_steps < learning.plan.train_frequency;
        if (state.steps % VALIDATION_INTERVAL == 0) validate();
        // Before the first warp walks on.
        __syncthreads();
    }
    if (threadIdx.x == 0) state.round_steps = 0;
    const uint32_t updates = state.steps > learning.plan.learning_starts ? learning.plan.gradient_steps : 0;
    for (uint32_t i = 0; i < updates; ++i) update();
}

// Those that begin before so many steps.
__device__ __noinline__ void rounds(uint32_t goal) {
    for (;;) {
        const bool goes_on = Learning::here().state.steps < goal;
        // Before the first warp walks on.
        __syncthreads();
        if (!goes_on) return;
        round();
    }
}

// A block's threads copy words.
__device__ __forceinline__ void copy_words(void* to, const void* from, uint32_t bytes) {
    for (uint32_t i = threadIdx.x; i < bytes / 4; i += blockDim.x) ((uint32_t*)to)[i] = ((const uint32_t*)from)[i];
}

}  // namespace dqn

KERNEL(learn, LearnArgs, LEARNER_THREADS, 1) {
    SHARED(shared);
    Learner* const plan = (Learner*)shared;
    dqn::copy_words(plan, args.learners + blockIdx.x, sizeof(Learner));
    __syncthreads();
    const dqn::Learning learning = dqn::Learning::here();
    dqn::copy_words(&learning.state, plan->state, sizeof(LearnerState));
    dqn::copy_words(learning.layers, plan->layers, plan->layer_count * sizeof(LearnerLayer));
    dqn::copy_words(learning.pairs, plan->pairs, (plan->layer_count - 1) * sizeof(LearnerPair));
    __syncthreads();
    const uint32_t goal = args.goal < plan->total ? args.goal : plan->total;
    if (learning.state.steps >= goal) return;
    dqn::step_all(false);
    __syncthreads();
    dqn::assemble();
    dqn::begin();
    dqn::rounds(goal);
    dqn::Learning::here().end();
}
