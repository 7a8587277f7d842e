// Mazes of K generations and all trials at once, drawn on the device: where the food lies, which sensor drives which
// source and which neuron makes which action, the draws of the swaps, and the noise of the units' outputs.
// A thread four elements of one environment's row, which are one Philox block. Twin: src/workload/maze/episodes.rs. Limited by the stores.
#include "rng.cuh"
#include "world/t_maze.cuh"

namespace {

// Element numbers of a maze's row.
constexpr uint32_t FIRST = 0, ORDERS = 4, SWAPS = 16, NOISE = 1u << 20;

// Fisher & Yates: 0, 1, 2 in a drawn order, two bits each.
__device__ __forceinline__ uint32_t order_of_three(uint32_t last, uint32_t middle) {
    uint32_t order[3] = {0, 1, 2};
    const auto swap_with = [&](uint32_t i, uint32_t word) {
        const uint32_t j = (uint32_t)(int32_t)(unit_uniform(word) * (float)(i + 1));
        const uint32_t at_i = order[i];
        order[i] = j == 0 ? order[0] : j == 1 ? order[1] : order[2];
#pragma unroll
        for (uint32_t k = 0; k < 3; ++k)
            if (k == j) order[k] = at_i;
    };
    swap_with(2, last);
    swap_with(1, middle);
    return order[0] | order[1] << 2 | order[2] << 4;
}

}  // namespace

KERNEL(draw_maze, DrawMazeArgs, THREADS, 1) {
    const uint32_t generation = blockIdx.y, trial = blockIdx.z;
    const uint32_t swap_blocks = (args.actions + 3) / 4, noise_blocks = (args.outputs + 3) / 4;
    // The maze itself, the swaps, the noise.
    const uint32_t blocks = 1 + swap_blocks + noise_blocks, index = blockIdx.x * THREADS + threadIdx.x;
    const uint32_t environment = index / blocks, block = index % blocks;
    if (environment >= args.environments) return;
    const size_t maze = (size_t)(generation * gridDim.z + trial) * args.environments + environment;
    const Row row = {args.seeds[trial], args.stream, args.steps ? args.steps[generation].generation : 0, environment};
    if (block == 0) {
        const Row shuffles = {row.seed, row.stream, row.generation, args.shuffle_together ? 0 : environment};
        const uint4 first = words(row, FIRST / 4), orders = words(shuffles, ORDERS / 4);
        const uint32_t food = (uint32_t)(int32_t)(unit_uniform(first.x) * (float)args.places);
        const uint32_t dark = unit_uniform(first.y) < args.dark;
        const uint32_t as_they_are = 0 | 1 << 2 | 2 << 4;
        const uint32_t sensors = args.shuffle_inputs ? order_of_three(orders.x, orders.y) : as_they_are;
        const uint32_t motors = args.shuffle_outputs ? order_of_three(orders.z, orders.w) : as_they_are;
        args.mazes[maze] = food | sensors << MAZE_SENSORS | motors << MAZE_MOTORS | dark << MAZE_DARK;
    } else if (block <= swap_blocks) {
        const uint4 w = words(row, SWAPS / 4 + block - 1);
        const uint32_t four[4] = {w.x, w.y, w.z, w.w}, first = 4 * (block - 1);
        for (uint32_t i = 0; i < 4 && first + i < args.actions; ++i)
            args.swaps[maze * args.actions + first + i] = unit_uniform(four[i]);
    } else {
        const uint32_t first = 4 * (block - 1 - swap_blocks);
        const float4 n = normals(row, (NOISE + first) / 4);
        const float four[4] = {n.x, n.y, n.z, n.w};
        for (uint32_t i = 0; i < 4 && first + i < args.outputs; ++i)
            args.noise[maze * args.outputs + first + i] = args.output_noise * four[i];
    }
}

KERNEL(maze_moves, MazeMovesArgs, THREADS, 1) {
    const uint32_t agent = blockIdx.x * THREADS + threadIdx.x;
    if (agent >= args.agents) return;
    Maze maze(args, args.mazes[agent]);
    int32_t* out = args.out + (size_t)agent * args.moves * 10;
    for (uint32_t move = 0; move < args.moves; ++move, out += 10) {
        maze.step(args.actions[agent * args.moves + move], args.draws[agent * args.moves + move]);
        const Maze::Sensors seen = maze.observe();
        const int32_t now[10] = {maze.x,      maze.y,           maze.direction, (int32_t)maze.food, (int32_t)maze.energy,
                                 (int32_t)maze.meals, maze.reward, seen.wall,      seen.green,          seen.red};
        for (uint32_t i = 0; i < 10; ++i) out[i] = now[i];
    }
}
