#!/usr/bin/env python3
"""Environment steps per second of phylon's worlds beside those of other programs, in turns, on the same cores.

    scripts/compare_worlds.py --peers FOLDER --gymnasium PYTHON --gymnax PYTHON --envpool PYTHON
        [--worlds cartpole ...] [--rounds 3] [--out FILE]

FOLDER holds `bench_gymnasium.py`, `bench_gymnax.py` and `bench_envpool.py`; each PYTHON is an interpreter that has the
library of that name. Actions are drawn at random and environments start over by themselves. phylon is measured twice:
`rollout`, where the policy acts inside, and `random_agents`, which steps 4,096 environments from outside and looks at
every observation. Raw figures of every round are kept; ratios are made of the medians.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import comparison
from comparison import ROOT

# World -> its id elsewhere, the variants of ours, and episodes that take phylon about a second.
WORLDS = {
    "cartpole": ("CartPole-v1", ["cartpole", "cartpole-f32"], 6_000_000),
    "mountain-car": ("MountainCar-v0", ["mountain-car", "mountain-car-f32"], 600_000),
    "acrobot": ("Acrobot-v1", ["acrobot", "acrobot-f32"], 40_000),
    "lunar-lander": ("LunarLander-v3", ["lunar-lander", "lunar-lander-fast"], 20_000),
}


def peers(args, world):
    """Name -> command of every program that has this world."""
    env = WORLDS[world][0]
    threads = str(args.threads)
    folder = args.peers
    runs = {
        "gymnasium": [args.gymnasium, folder / "bench_gymnasium.py", "--env", env, "--mode", "sync"],
        # envpool knows the lander as v2, which without wind is the same.
        "envpool sync": [args.envpool, folder / "bench_envpool.py", "--env", env.replace("-v3", "-v2"), "--threads", threads],
        "envpool async": [args.envpool, folder / "bench_envpool.py", "--env", env.replace("-v3", "-v2"), "--threads", threads, "--mode", "async"],
    }
    if world == "cartpole":
        runs["gymnasium vector"] = [args.gymnasium, folder / "bench_gymnasium.py", "--env", env, "--mode", "vector", "--num-envs", "4096"]
    if world != "lunar-lander":
        runs["gymnax"] = [args.gymnax, folder / "bench_gymnax.py", "--env", env]
    return runs


def run(command, threads):
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def ours(args, name, episodes):
    phylon, example = (ROOT / "target/release" / path for path in ("phylon", "examples/random_agents"))
    rollout = [phylon, "rollout", "--env", name, "--episodes", str(episodes), "--device", "cpu", "--json"]
    stepped = run([example, name, "4096"], args.threads)
    return {
        f"phylon {name}, rollout": json.loads(run(rollout, args.threads))["steps_per_second"],
        f"phylon {name}, random_agents": float(re.search(r"([\d.e+]+) steps/s", stepped)[1]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True)
    for library in ("gymnasium", "gymnax", "envpool"):
        parser.add_argument(f"--{library}", required=True)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    subprocess.run(["cargo", "build", "--release", "--bin", "phylon", "--example", "random_agents"], cwd=ROOT, check=True)
    rounds = []
    for i in range(args.rounds):
        figures = {}
        for world in args.worlds:
            _, names, episodes = WORLDS[world]
            print(f"round {i + 1} of {args.rounds}: {world}", file=sys.stderr)
            rates = {}
            for name in names:
                rates |= ours(args, name, episodes)
            for peer, command in peers(args, world).items():
                rates[peer] = json.loads(run(command, args.threads).splitlines()[-1])["steps_per_s"]
            figures[world] = rates
        rounds.append(figures)

    summary = {}
    for world in args.worlds:
        rates = {name: statistics.median(r[world][name] for r in rounds) for name in rounds[0][world]}
        best = max((rate, name) for name, rate in rates.items() if not name.startswith("phylon"))
        ratios = {name: rate / best[0] for name, rate in rates.items() if name.startswith("phylon")}
        summary[world] = {"steps_per_second": rates, "best_peer": best[1], "times_the_best_peer": ratios}
    comparison.report(summary, rounds, args.out, threads=args.threads)


if __name__ == "__main__":
    main()
