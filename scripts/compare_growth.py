#!/usr/bin/env python3
"""Agents grown and binomial numbers drawn per second by phylon beside NumPy, PyTorch and JAX, in turns, on the same cores.

    scripts/compare_growth.py --peers FOLDER --python PYTHON [--genes 16 64] [--rounds 3] [--out FILE]

FOLDER holds `bench_binomial.py`; PYTHON is an interpreter that has numpy, scipy, torch and jax. All grow agents of a first
profile of 4-128-2 neurons, which phylon and the peers draw for themselves. `torch_loop` makes one `Binomial` object for each
gene pair, as the published evaluation does. Raw figures of every round are kept; ratios are made of the medians: direct draws
against the fastest peer, agents by their law against `torch_loop`.
"""
import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

import comparison
from comparison import ROOT, run
PEERS = ["numpy", "torch", "jax", "torch_loop"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--genes", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    bench = ["cargo", "bench", "--bench", "growth"]
    subprocess.run([*bench, "--no-run"], cwd=ROOT, check=True)
    rounds = []
    for i in range(args.rounds):
        figures = {}
        for genes in args.genes:
            print(f"round {i + 1} of {args.rounds}: {genes} genes", file=sys.stderr)
            rates = {}
            for line in run([*bench, "--", genes], args.threads, cwd=ROOT):
                rates[f"phylon {line['method']}, {line['agents']} agents"] = [line["draws_per_s"], line["agents_per_s"]]
            for peer in PEERS:
                [line] = run([args.python, args.peers.resolve() / "bench_binomial.py", peer, genes], args.threads)
                rates[peer] = [line["draws_per_s"], 1e3 / line["ms_per_agent"]]
            figures[genes] = rates
        rounds.append(figures)

    summary = {}
    for genes in args.genes:
        median = lambda name, which: statistics.median(r[genes][name][which] for r in rounds)
        names = list(rounds[0][genes])
        best = max(PEERS, key=lambda peer: median(peer, 0))
        summary[genes] = {
            "draws_per_s": {name: median(name, 0) for name in names if "law" not in name},
            "agents_per_s": {name: median(name, 1) for name in names},
            "best_peer": best,
            "direct_times_the_best_peer": {n: median(n, 0) / median(best, 0) for n in names if "direct" in n},
            "law_times_torch_loop": {n: median(n, 1) / median("torch_loop", 1) for n in names if "law" in n},
        }
    comparison.report(summary, rounds, args.out, threads=args.threads)


if __name__ == "__main__":
    main()
