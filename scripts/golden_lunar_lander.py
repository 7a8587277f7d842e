#!/usr/bin/env python3
"""Records tests/golden/envs/lunar_lander_options.npz: episodes of LunarLander-v3 with wind, with continuous actions and with
both, from Gymnasium's own code. Needs gymnasium[box2d]; the file in the repository is of Gymnasium 1.4.0 and box2d 2.3.10.

For each option, arrays <option>_<name>, episodes one after the other:
  seed [episodes] i64       of env.reset(seed=...)
  length [episodes] i64     steps
  obs [sum(length + 1), 8] f32, the first one after reset
  action [sum(length)] i64, or [sum(length), 2] f32
  reward [sum(length)] f64
  terminated [sum(length)] bool

Even episodes act at random, odd ones by Gymnasium's heuristic, which lands; an episode is cut off after 600 steps.

usage: golden_lunar_lander.py FILE
"""

import sys

import gymnasium
import numpy as np
from gymnasium.envs.box2d.lunar_lander import heuristic

OPTIONS = {
    "wind": dict(enable_wind=True),
    "continuous": dict(continuous=True),
    "continuous_wind": dict(continuous=True, enable_wind=True),
}
EPISODES = 12
LIMIT = 600

arrays = {}
for number, (option, keywords) in enumerate(OPTIONS.items()):
    env = gymnasium.make("LunarLander-v3", **keywords)
    chance = np.random.default_rng(number)
    columns = {name: [] for name in ["seed", "length", "obs", "action", "reward", "terminated"]}
    for episode in range(EPISODES):
        seed = 100 * number + episode
        observation, _ = env.reset(seed=seed)
        columns["seed"].append(seed)
        columns["obs"].append(observation)
        for step in range(LIMIT):
            if episode % 2 == 1:
                action = heuristic(env, observation)
            elif env.unwrapped.continuous:
                # Beyond the bounds, too: they are clipped.
                action = chance.uniform(-1.2, 1.2, 2)
            else:
                action = int(chance.integers(4))
            if env.unwrapped.continuous:
                action = np.asarray(action, dtype=np.float32)
            observation, reward, terminated, truncated, _ = env.step(action)
            columns["obs"].append(observation)
            columns["action"].append(action)
            columns["reward"].append(float(reward))
            columns["terminated"].append(bool(terminated))
            if terminated or truncated:
                break
        columns["length"].append(step + 1)
    print(option, columns["length"])
    arrays |= {f"{option}_{name}": np.array(values) for name, values in columns.items()}
np.savez_compressed(sys.argv[1], gymnasium=gymnasium.__version__, **arrays)
