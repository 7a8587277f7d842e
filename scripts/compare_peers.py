#!/usr/bin/env python3
"""Generations of phylon beside those of other programs, in turns, on the same cores.

    scripts/compare_peers.py --peers FOLDER --python PYTHON [--rounds 3] [--out benches/results/DATE-MACHINE.json]

FOLDER holds `enu/ceiling.py`, `enu/jax_enu.py` and `enu/torch_enu.py`; PYTHON is an interpreter with jax and torch.
Each round runs, one after the other: the matrix-product ceiling of the machine, phylon's benchmarks, and the best
settings of the other programs. Raw figures of every round are kept; ratios are made of the medians.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# (peer, task, unit) -> arguments; the fastest layouts known for a CPU of two cores.
PEERS = {
    ("jax", "iaf", "16/32/16"): ["jax_enu.py", "--task", "iaf", "--nx", "16", "--no", "16", "--layout", "map", "--block", "32", "--shard", "2"],
    ("torch", "iaf", "16/32/16"): ["torch_enu.py", "--task", "iaf", "--nx", "16", "--no", "16", "--impl", "fused", "--chunk", "128"],
    ("jax", "iaf", "1/32/1"): ["jax_enu.py", "--task", "iaf", "--layout", "map", "--block", "32", "--shard", "2"],
    ("torch", "iaf", "1/32/1"): ["torch_enu.py", "--task", "iaf", "--impl", "fused", "--chunk", "128"],
    ("jax", "stdp", "4/32/1"): ["jax_enu.py", "--task", "stdp", "--layout", "map", "--block", "32", "--shard", "2"],
    ("torch", "stdp", "4/32/1"): ["torch_enu.py", "--task", "stdp", "--impl", "fused", "--chunk", "128"],
    # Both compute dead agents to the end.
    ("jax", "tmaze", "16/32/16"): ["jax_enu.py", "--task", "tmaze", "--pop", "64", "--layout", "map", "--block", "2", "--shard", "2"],
    ("torch", "tmaze", "16/32/16"): ["torch_enu.py", "--task", "tmaze", "--pop", "64", "--impl", "fused", "--chunk", "16"],
}
# phylon's benchmark -> (task, unit) of the peers it is set against.
OURS = {
    "generation/iaf_16_32_16": ("iaf", "16/32/16"),
    "generation/iaf_1_32_1": ("iaf", "1/32/1"),
    "generation/stdp_4_32_1": ("stdp", "4/32/1"),
    "play/iaf_16_32_16_dense": ("iaf", "16/32/16"),
    "generation/t_maze_64": ("tmaze", "16/32/16"),
    "generation/t_maze_64_starving": None,
    "update/noise_sums_6656": None,
}


def run(command, threads, **kwargs):
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "RAYON_NUM_THREADS": str(threads)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, **kwargs)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def ours(bench, threads):
    """Median seconds and operations of every benchmark."""
    run([bench, "--bench", "--noplot"], threads, cwd=ROOT)
    figures = {}
    for name in OURS:
        folder = ROOT / "target" / "criterion" / Path(*name.split("/")) / "new"
        estimates = json.loads((folder / "estimates.json").read_text())
        work = json.loads((folder / "benchmark.json").read_text())["throughput"]["Elements"]
        seconds = estimates["median"]["point_estimate"] / 1e9
        figures[name] = {"seconds": seconds, "operations": work, "giga_per_s": work / seconds / 1e9}
    return figures


def bench_binary():
    """The compiled benchmark, so that no round pays for a build."""
    lines = run(["cargo", "bench", "--bench", "generation", "--no-run", "--message-format", "json"], os.cpu_count(), cwd=ROOT).splitlines()
    found = [m["executable"] for m in map(json.loads, lines) if m.get("executable") and m["target"]["kind"] == ["bench"]]
    return found[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", type=Path, required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    bench, enu, rounds = bench_binary(), args.peers / "enu", []
    for i in range(args.rounds):
        print(f"round {i + 1} of {args.rounds}", file=sys.stderr)
        figures = {"ceiling": json.loads(run([args.python, "ceiling.py"], args.threads, cwd=enu))}
        figures["phylon"] = ours(bench, args.threads)
        for (peer, task, unit), command in PEERS.items():
            line = run([args.python, *command, "--threads", str(args.threads)], args.threads, cwd=enu).splitlines()[-1]
            figures[f"{peer} {task} {unit}"] = json.loads(line)
        rounds.append(figures)

    median = lambda get: statistics.median(get(r) for r in rounds)
    ceiling = median(lambda r: max(v for k, v in r["ceiling"].items() if k.endswith("sgemm_gflops") and "bf16" not in k))
    summary = {"ceiling_gflops": ceiling}
    for name, key in OURS.items():
        seconds, rate = median(lambda r: r["phylon"][name]["seconds"]), median(lambda r: r["phylon"][name]["giga_per_s"])
        summary[name] = {"seconds": seconds, "giga_per_s": rate}
        if key:
            summary[name]["of_ceiling"] = rate / ceiling
            for peer in ("jax", "torch"):
                theirs = median(lambda r: r[f"{peer} {key[0]} {key[1]}"]["sec_per_gen"])
                summary[name][f"{peer}_seconds"] = theirs
                summary[name][f"times_faster_than_{peer}"] = theirs / seconds
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    commit = run(["git", "rev-parse", "--short", "HEAD"], 1, cwd=ROOT).strip()
    result = {"machine": cpu, "threads": args.threads, "commit": commit, "summary": summary, "rounds": rounds}
    text = json.dumps(result, indent=1)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n")
    print(json.dumps(summary, indent=1))


if __name__ == "__main__":
    main()
