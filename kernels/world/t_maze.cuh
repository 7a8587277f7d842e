// The mazes, twin of src/world/t_maze.rs: an agent in its maze, as integers in the registers of whoever plays it.
#pragma once
#include "../gpu.cuh"

struct Maze {
    uint32_t layout, full, swap_after, poisons;
    int32_t x, y, direction;  // 0 north (+y), 1 east (+x), 2 south, 3 west
    uint32_t food;            // its place
    uint32_t energy, meals;
    int32_t reward;  // of the last step

    struct Sensors {
        bool wall, green, red;
    };

    enum class Place { EMPTY, FOOD, POISON };

    // `drawn` as in DrawMazeArgs::mazes; the rules are fields of the arguments.
    template <class Args>
    __device__ __forceinline__ Maze(const Args& args, uint32_t drawn)
        : layout(args.layout),
          full(args.energy),
          swap_after(args.swap_after),
          poisons(args.poisons),
          x(2),
          y(0),
          direction(0),
          food(drawn & 3),
          energy(args.energy),
          meals(0),
          reward(0) {}

    __device__ __forceinline__ bool is_alive() const { return energy > 0; }

    __device__ __forceinline__ uint32_t places() const { return layout == MAZE_SINGLE ? 2 : 4; }

    __device__ __forceinline__ bool is_open(int32_t x, int32_t y) const {
        const bool inside = x >= 0 && x <= 4 && y >= 0;
        if (layout == MAZE_SINGLE) return inside && y <= 3 && (x == 2 || y == 3);
        return inside && y <= 4 && (x == 2 ? y <= 2 : y == 2 || x == 0 || x == 4);
    }

    // What lies at (x, y). Places are counted from (0, 0) in the direction of the clock, or from the west.
    __device__ __forceinline__ Place at(int32_t x, int32_t y) const {
        const bool end = (x == 0 || x == 4) && (layout == MAZE_SINGLE ? y == 3 : y == 0 || y == 4);
        if (!end) return Place::EMPTY;
        const uint32_t place = layout == MAZE_SINGLE ? x == 4 : x == 0 ? y == 4 : 2 + (y == 0);
        const uint32_t behind = place >= food ? place - food : place + places() - food;
        return behind == 0 ? Place::FOOD : behind <= poisons ? Place::POISON : Place::EMPTY;
    }

    __device__ __forceinline__ int32_t ahead_x() const { return x + (direction == 1) - (direction == 3); }
    __device__ __forceinline__ int32_t ahead_y() const { return y + (direction == 0) - (direction == 2); }

    __device__ __forceinline__ Sensors observe() const {
        if (!is_alive()) return {false, false, false};
        const Place seen = at(ahead_x(), ahead_y());
        return {!is_open(ahead_x(), ahead_y()), seen == Place::FOOD, seen == Place::POISON};
    }

    // Turn and move, without the rest of a step. `action`: 0 forward, 1 left, 2 right, else nothing.
    __device__ __forceinline__ void walk(uint32_t action) {
        if (action >= MOTORS) return;
        direction = (direction + (action == 1 ? 3 : action == 2 ? 1 : 0)) & 3;
        const int32_t to_x = ahead_x(), to_y = ahead_y();
        if (is_open(to_x, to_y)) {
            x = to_x;
            y = to_y;
        }
    }

    // `draw` in [0, 1) decides whether and where the food moves.
    __device__ __forceinline__ void step(uint32_t action, float draw) {
        reward = 0;
        if (!is_alive()) return;
        walk(action);
        --energy;
        const Place here = at(x, y);
        if (here == Place::EMPTY) return;
        x = 2, y = 0, direction = 0;
        reward = here == Place::FOOD ? 1 : -1;
        if (here == Place::POISON) return;
        energy = full;
        if (++meals < swap_after || !(draw < 0.5f)) return;
        food = (food + 1 + (uint32_t)(int32_t)(2.0f * draw * (float)(places() - 1))) % places();
        meals = 0;
    }
};

// Whether a channel of a source is 1, of what an agent senses (Agent::senses).
__device__ __forceinline__ bool sensed(uint32_t senses, uint32_t source, uint32_t channel) {
    const bool is_reward = source == SENSORS - 1;
    if (channel != 0) return is_reward && channel <= 2 && senses >> (2 + channel) & 1;
    return !is_reward && senses >> source & 1;
}

// An agent between its network and its maze.
struct Agent {
    Maze maze;
    uint32_t drawn;  // as in DrawMazeArgs::mazes
    float poison_reward, rewards;

    __device__ __forceinline__ Agent(const NetworkArgs& args, uint32_t drawn)
        : maze(args, drawn), drawn(drawn), poison_reward(args.evolution ? args.step->poison_reward : -1.0f), rewards(0.0f) {}

    // What it senses: bits 0 to 2 are channel 0 of these sources, bits 3 and 4 channels 1 and 2 of source 3. All others
    // are zero.
    __device__ __forceinline__ uint32_t senses() const {
        const Maze::Sensors seen = maze.observe();
        const uint32_t sensors = drawn >> MAZE_SENSORS, light = ~drawn >> MAZE_DARK & 1;
        const uint32_t sight = (uint32_t)seen.wall << (sensors & 3) | (seen.green & light) << (sensors >> 2 & 3) |
                               (seen.red & light) << (sensors >> 4 & 3);
        return sight | (maze.reward > 0) << 3 | (maze.reward < 0) << 4;
    }

    // The neuron with the largest sum acts, the first of equals, if that is positive.
    __device__ __forceinline__ void act(float first, float second, float third, float draw) {
        float best = 0.0f;
        const uint32_t motors = drawn >> MAZE_MOTORS;
        uint32_t action = MOTORS;
        if (first > best) best = first, action = motors & 3;
        if (second > best) best = second, action = motors >> 2 & 3;
        if (third > best) action = motors >> 4 & 3;
        maze.step(action, draw);
        rewards = rewards + (maze.reward < 0 ? poison_reward : (float)maze.reward);
    }
};
