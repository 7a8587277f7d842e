#!/usr/bin/env python3
"""A cortical column in phylon beside NEST and Brian 2, in turns, on the same cores: seconds to build it, and to step it for a
second of model time (the real-time factor).

    scripts/compare_columns.py --peers FOLDER --python PYTHON [--threads 1 2] [--rounds 3] [--out FILE]

FOLDER holds `run_nest.py` and `run_brian2.py`; PYTHON is an interpreter that has numpy, nest-simulator and brian2. Every program
simulates the column at a tenth of the neurons and of the in-degrees, with Poisson background, 1 s to warm up and 5 s that are
timed; Brian 2 runs as compiled C++ with OpenMP, in double and in single precision. Raw figures of every round are kept; ratios
are made of the medians.
"""
import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

import comparison
from comparison import ROOT, run


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, len(os.sched_getaffinity(0))])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    bench = ["cargo", "bench", "--bench", "column"]
    subprocess.run([*bench, "--no-run"], cwd=ROOT, check=True)
    peers = {
        "NEST": [args.python, args.peers.resolve() / "run_nest.py"],
        "Brian 2": [args.python, args.peers.resolve() / "run_brian2.py"],
        "Brian 2, f32": [args.python, args.peers.resolve() / "run_brian2.py", "--f32"],
    }
    rounds = []
    for i in range(args.rounds):
        figures = {}
        for threads in args.threads:
            print(f"round {i + 1} of {args.rounds}: {threads} threads", file=sys.stderr)
            lines = {line["what"]: line for line in run(bench, threads, cwd=ROOT)}
            rows = {"phylon": {"rtf": lines["column"]["rtf"], "build_s": lines["build"]["seconds"]}}
            rows["phylon"]["column_seconds_per_s"] = lines["batch"]["column_seconds_per_s"]
            for name, command in peers.items():
                [line] = run([*command, "--threads", threads], threads)
                timing = line["timing"]
                rows[name] = {"rtf": timing["rtf"], "build_s": timing.get("build_s", timing.get("python_build_s"))}
            figures[threads] = rows
        rounds.append(figures)

    summary = {}
    for threads in args.threads:
        median = lambda name, what: statistics.median(r[threads][name][what] for r in rounds)
        summary[threads] = {
            "rtf": {name: median(name, "rtf") for name in rounds[0][threads]},
            "build_s": {name: median(name, "build_s") for name in rounds[0][threads]},
            "column_seconds_per_s": median("phylon", "column_seconds_per_s"),
            "times_faster": {name: median(name, "rtf") / median("phylon", "rtf") for name in peers},
            "builds_times_faster": {name: median(name, "build_s") / median("phylon", "build_s") for name in peers},
        }
    comparison.report(summary, rounds, args.out)


if __name__ == "__main__":
    main()
