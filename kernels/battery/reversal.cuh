// Assay D, twin of src/battery/reversal.rs.
#pragma once
#include "../rng.cuh"
#include "../world/t_maze.cuh"
#include "after.cuh"

namespace battery {

struct Reversal {
    static constexpr uint32_t NUMBER = 3, SENSES = 3, OUTPUTS = 3;
    static constexpr bool DRAWS = false;

    static constexpr uint32_t ACTIONS = 40, BLOCKS = 5, NEITHER = 2;

    // The world's own moves of the food are off.
    struct Rules {
        uint32_t layout = MAZE_SINGLE, energy = ACTIONS, swap_after = 0x7fffffff, poisons = 1;
    };

    int32_t x, y, heading;
    uint32_t food;
    uint32_t length;  // trials of a block
    uint32_t first;   // where the food is in the first block
    uint32_t trial, actions;
    uint32_t choice;  // the first arm that it entered, or NEITHER
    int32_t told;
    uint32_t right, meals;
    uint32_t dark;  // 1: its colour sensors are
    uint32_t blank;  // control steps left
    uint32_t was_told;

    Reversal() = default;

    __device__ __forceinline__ Reversal(const Assays& assays, const Row& row)
        : trial(0), choice(NEITHER), told(0), right(0), meals(0), was_told(0) {
        const ReversalSizes& sizes = assays.reversal;
        const uint4 w = words(row, 0);
        first = unit_uniform(w.y) < 0.5f;
        dark = unit_uniform(w.z) < sizes.dark;
        length = sizes.least + (uint32_t)(int32_t)((float)(sizes.most - sizes.least + 1) * unit_uniform(w.x));
        food = first;
        begin_trial(assays);
        blank = 0;
    }

    __device__ __forceinline__ void keep(const Maze& maze) { x = maze.x, y = maze.y, heading = maze.direction; }

    __device__ __forceinline__ void begin_trial(const Assays& assays) {
        if (!assays.reversal.alternation) {
            food = (first + trial / length) % 2;
        } else if (choice != NEITHER) {
            food = 1 - choice;
        }
        keep(Maze(Rules{}, food));
        actions = 0;
        choice = NEITHER;
        blank = assays.reversal.gap;
    }

    // It has energy left: a trial has as many actions.
    __device__ __forceinline__ Maze maze() const {
        Maze maze(Rules{}, food);
        maze.x = x, maze.y = y, maze.direction = heading;
        return maze;
    }

    __device__ __forceinline__ int32_t observe(const Assays&, const uint4&, float (&senses)[SENSES]) {
        const Maze::Sensors seen = maze().observe();
        const bool shown = blank == 0, light = !dark && shown;
        senses[0] = (float)(seen.wall && shown);
        senses[1] = (float)(seen.green && light);
        senses[2] = (float)(seen.red && light);
        const int32_t outcome = told;
        was_told = told != 0;
        told = 0;
        return outcome;
    }

    template <class Tell>
    __device__ __forceinline__ After act(const Assays& assays, const float (&outputs)[OUTPUTS], Tell tell) {
        const After after = was_told ? After::FORGET : After::NEXT;
        if (blank > 0) {
            --blank;
            return after;
        }
        uint32_t action = MOTORS;
        float best = 0.0f;
#pragma unroll
        for (uint32_t i = 0; i < OUTPUTS; ++i)
            if (outputs[i] > best) best = outputs[i], action = i;
        Maze walked = maze(), next = walked;
        walked.walk(action);
        if (choice == NEITHER && walked.y == 3 && walked.x != 2) choice = walked.x > 2;
        next.step(action, 1.0f);
        keep(next);
        ++actions;
        if (next.reward == 0 && actions < ACTIONS) return after;
        told = tell(next.reward);
        meals += next.reward > 0;
        right += choice == food;
        if (++trial >= BLOCKS * length) return After::OVER;
        begin_trial(assays);
        return After::FORGET;
    }

    __device__ __forceinline__ float fitness(const Assays&) const {
        const float trials = (float)trial;
        return (float)right / trials + 0.1f * ((float)meals / trials);
    }
};

}  // namespace battery
