// A plate where food is found once, twin of src/battery/arena.rs.
#pragma once
#include "plate.cuh"

namespace battery {

enum class Phase : int32_t { FIND, EAT, DELAY, TEST, DONE };

struct Forager {
    Worm worm;
    Source source;
    Phase phase;
    int32_t steps;
    double second_heading;
    uint32_t reached;
    double exit;  // NaN as long as it has not left the ring

    Forager() = default;

    __device__ __forceinline__ Forager(const ArenaSizes& arena, int32_t site, double first_heading, double second_heading)
        : worm(0.0, 0.0, first_heading), phase(Phase::FIND), steps(0), second_heading(second_heading), reached(false), exit(NaN) {
        double sin, cos;
        direction(PI / 4.0 * (double)site, sin, cos);
        source = {arena.site_radius * cos, arena.site_radius * sin, 1.0};
    }

    __device__ __forceinline__ void enter(Phase next) {
        phase = next;
        steps = 0;
    }

    __device__ __forceinline__ void observe(const ArenaSizes& arena, float noise, float* senses) {
        plate::observe(arena.plate, worm, source, noise, senses);
        num::sin_cos((float)worm.heading, senses[6], senses[5]);
        senses[7] = (float)(phase == Phase::EAT);
        senses[8] = (float)(phase == Phase::DELAY);
    }

    __device__ __forceinline__ void step(const ArenaSizes& arena, float turn, float drive, const StepDraws& draws) {
        ++steps;
        if (phase == Phase::FIND || phase == Phase::TEST) {
            plate::step(arena.plate, worm, turn, drive, draws);
        } else {
            ++worm.step;
            worm.pause = worm.pause > 1 ? worm.pause - 1 : 0;
        }
        switch (phase) {
            case Phase::FIND:
                if (worm.distance_to(source) < arena.reach) {
                    reached = true;
                    enter(Phase::EAT);
                } else if (steps >= arena.find) {
                    enter(Phase::DONE);
                }
                break;
            case Phase::EAT:
                if (steps >= arena.eat) {
                    put_back(arena);
                    enter(Phase::DELAY);
                }
                break;
            case Phase::DELAY:
                if (steps >= arena.delay) enter(Phase::TEST);
                break;
            case Phase::TEST:
                if (worm.distance() >= arena.ring) {
                    exit = angle_of(worm.y, worm.x);
                    enter(Phase::DONE);
                } else if (steps >= arena.test) {
                    enter(Phase::DONE);
                }
                break;
            default: break;
        }
    }

private:
    __device__ __forceinline__ void put_back(const ArenaSizes& arena) {
        double sin, cos;
        direction(second_heading, sin, cos);
        worm.x = arena.offset * cos;
        worm.y = arena.offset * sin;
        worm.heading = second_heading;
        worm.adapted = arena.plate.base;
        worm.pause = 0;
        source.strength = 0.0;
    }
};

}  // namespace battery
