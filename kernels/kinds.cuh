// Every unit with every task: what both rollouts are compiled for. A new unit or task is a line here.
#pragma once
#include "task/iaf.cuh"
#include "task/stdp.cuh"
#include "unit/unit.cuh"

#define EACH_TASK(X, unit, Unit) \
    X(unit, Unit, iaf, IafFitness) \
    X(unit, Unit, stdp, StdpFitness)

// X(unit, Unit, task, Fitness): names as in the kernels' own, and their types.
#define EACH_UNIT_AND_TASK(X) \
    EACH_TASK(X, enu, Enu) \
    EACH_TASK(X, nfenu, Nfenu) \
    EACH_TASK(X, gru, Gru) \
    EACH_TASK(X, lstm, Lstm)
