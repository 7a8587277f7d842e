// Every world that rollouts are compiled for. A new one is its header and a line here.
#pragma once
#include "world/acrobot.cuh"
#include "world/cart_pole.cuh"
#include "world/lunar_lander.cuh"
#include "world/mountain_car.cuh"

// X(name, World): the name as in Spec::name, with _ for -. A World has the members of CartPole.
#define EACH_WORLD(X) \
    X(cartpole, CartPole<double>) \
    X(cartpole_f32, CartPole<float>) \
    X(mountain_car, MountainCar<double>) \
    X(mountain_car_f32, MountainCar<float>) \
    X(acrobot, Acrobot<double>) \
    X(acrobot_f32, Acrobot<float>) \
    X(lunar_lander, LunarLander) \
    X(lunar_lander_wind, LunarLanderWind) \
    X(lunar_lander_continuous, LunarLanderContinuous) \
    X(lunar_lander_continuous_wind, LunarLanderContinuousWind) \
    X(lunar_lander_fast, LunarLanderFast)

// Whether an episode begins with a step that nobody sees, and steps take so long, some far longer than others, that a warp plays
// these together; such a world has `is_slow`, which is false at first.
template <class World>
constexpr bool HEAVY = false;
template <class Kind>
constexpr bool HEAVY<Lander<Kind>> = true;
