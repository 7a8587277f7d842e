// One unit in open loop through a whole episode, exact mode: equal to the CPU to the last bit.
// Twin: src/workload/single_unit/ with src/unit/.
//
// A block is one player (an offspring, or the centre behind them) in some windows of 32 environments, a warp a window; see
// unit/exact.cuh. Floor: the multiply-adds, 0.65 ms for the paper's 1,024 x 32 x 100 steps of 16/32/16 at 33.5e12 lane
// instructions a second.
#include "kinds.cuh"
#include "unit/exact.cuh"

namespace rollout_exact {

template <class Unit, class Fitness, int COLUMNS>
__device__ __forceinline__ void play(const RolloutArgs& args) {
    const uint32_t trial = blockIdx.y, players = args.players, player = blockIdx.x % players;
    if (*args.halted) return;
    SHARED(shared);
    const exact::Layout<Unit, COLUMNS> layout(args);
    float* const weights = (float*)shared;
    exact::make_weights(args, layout, weights, player, trial);

    const uint32_t warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const uint32_t group = blockIdx.x / players, environment = (group * (blockDim.x / 32) + warp) * LANES + lane;
    // Whole warps only: E is a multiple of 32.
    if (environment >= args.lanes) return;
    float* const rows = weights + layout.weights() + warp * layout.warp(args);
    for (uint32_t i = lane; i < layout.warp(args); i += 32) rows[i] = 0.0f;
    exact::Window<Unit, COLUMNS> window(layout, weights, layout.rows(args, rows));
    const float* input = args.inputs + (size_t)trial * args.length * args.channels * args.lanes + environment;
    Fitness fitness(args, args.target + (size_t)trial * Fitness::target_length(args), environment);
    for (uint32_t step = 0; step < args.length; ++step) {
        for (uint32_t channel = 0; channel < args.channels; ++channel, input += args.lanes)
            window.inputs[channel * LANES + lane] = *input;
        __syncwarp();
        window.step();
        fitness.step((int32_t)step, window.outputs[lane]);
    }
    args.fitness[((size_t)trial * players + player) * args.lanes + environment] = fitness.finish();
}

}  // namespace rollout_exact

// Named rollout_exact_<unit>_<task>_<columns of a tile>.
#define ROLLOUT(unit, Unit, task, Fitness, tile) \
    KERNEL(rollout_exact_##unit##_##task##_##tile, RolloutArgs, 128, 1) { rollout_exact::play<Unit, Fitness, tile / exact::GROUPS>(args); }
#define TILES(unit, Unit, task, Fitness) \
    ROLLOUT(unit, Unit, task, Fitness, 8) \
    ROLLOUT(unit, Unit, task, Fitness, 16) \
    ROLLOUT(unit, Unit, task, Fitness, 32)
EACH_UNIT_AND_TASK(TILES)
#undef TILES
#undef ROLLOUT
