#!/usr/bin/env python3
"""What phylon exports, in the programs it is meant for: numpy, onnx, ONNX Runtime, TensorBoard.

    scripts/check_export.py RUN ...                         runs, searches, folders of sweeps
    scripts/check_export.py --policy FILE --env WORLD
    scripts/check_export.py --models target/tmp             after `cargo test --release --test export`

Needs numpy, onnx, onnxruntime, tensorboard and safetensors (pip install), and the program, as --phylon if it is not in
target/release.

Of a run the matrices of the .npz are stepped in double precision, and ONNX Runtime makes each step from the same state. The
model may differ by what single precision comes to: 2^-23 times the terms of a sum times the largest sum of weights. All points
that TensorBoard reads of a run's event file must be its metrics.csv or candidates.csv, each once. With --models ONNX Runtime makes
every step of the golden files tests/golden/enu/cell_*.npz. The exit code is 1 if something differs.
"""
import argparse
import csv
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parent.parent
ROUNDING = 2.0**-23
STEPS = 200
BATCH = 8
failed = []


def verdict(what, error, tolerance):
    good = error <= tolerance
    print(f"{'ok  ' if good else 'FAIL'}  {what}: {error:.2e} apart, allowed {tolerance:.2e}")
    if not good:
        failed.append(what)


def check(what, good, told=""):
    print(f"{'ok  ' if good else 'FAIL'}  {what}{told}")
    if not good:
        failed.append(what)


def logistic(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def step(kind, w, x, state):
    """One step of a unit in double precision: its outputs and its new state."""
    memory, outputs = w["Wo"].shape
    h, rest = state[:, :memory], state[:, memory:]
    if kind == "lstm":
        u = np.hstack([h, x])
        i, f, y = (logistic(u @ w[name]) for name in ("Wi", "Wf", "Wy"))
        c = f * rest + i * np.tanh(u @ w["Wg"])
        h = y * np.tanh(c)
        return h @ w["Wo"], np.hstack([h, c])
    u = np.hstack([h, rest, x])
    z, r = logistic(u @ w["Wz"]), logistic(u @ w["Wr"])
    h = (1 - z) * h + z * np.tanh(np.hstack([r * h, rest, x]) @ w["Wc"])
    y = h @ w["Wo"]
    if kind in ("enu", "nfenu"):
        y = np.clip(y, 0, 1)
    return y, np.hstack([h, y]) if kind == "enu" else h


def allowed(matrices):
    """What a sum may be off, through all matrices one after the other."""
    error = ROUNDING
    for w in matrices:
        error = (error + len(w) * ROUNDING) * max(1, np.abs(w).sum(axis=0).max())
    return error


def model(path):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    check(f"{path.name}: onnx.checker and ONNX Runtime take it", True)
    return session


def apart(seen, expected):
    return max(float(np.abs(a - b).max()) for a, b in zip(seen, expected))


def check_unit(what, session, kind, w):
    rng = np.random.default_rng(1)
    shapes = {value.name: value.shape for value in session.get_inputs()}
    state, worst = np.zeros((BATCH, shapes["state"][1]), np.float32), 0
    for _ in range(STEPS):
        x = rng.uniform(-1, 1, (BATCH, shapes["x"][1])).astype(np.float32)
        y, new_state = session.run(["y", "new_state"], {"x": x, "state": state})
        # From the same state each time: weights that were evolved may amplify the last bit of the one before.
        worst = max(worst, apart((y, new_state), step(kind, w, x.astype(float), state.astype(float))))
        state = new_state
    gates = [matrix for name, matrix in w.items() if name != "Wo"]
    widest = max(gates, key=lambda matrix: np.abs(matrix).sum(axis=0).max())
    verdict(f"{what}: {STEPS} steps of {BATCH} units", worst, allowed([widest, w["Wo"]]))


def check_parameters(phylon, run, folder):
    table, archive = folder / "parameters.csv", folder / "parameters.npz"
    for path in (table, archive):
        subprocess.run([phylon, "export", run, "--to", path.suffix[1:], "--out", path], check=True, stdout=subprocess.DEVNULL)
    done = [phylon, "export", run, "--to", "onnx", "--out", folder / "parameters.onnx", "--json"]
    files = json.loads(subprocess.run(done, check=True, stdout=subprocess.PIPE).stdout)["files"]
    arrays = np.load(archive)
    about = json.loads(str(arrays["about"]))
    with open(table) as rows:
        same = all(float(row["value"]) == arrays[row["name"]][int(row["row"]), int(row["column"])] for row in csv.DictReader(rows))
    check(f"{run}: the table has the values of the archive", same)
    for unit, path in zip(about["units"], files, strict=True):
        prefix = unit["name"] + "_" if unit["name"] else ""
        w = {name.removeprefix(prefix): arrays[name].astype(float) for name in unit["matrices"]}
        check_unit(f"{run} {unit['name'] or 'unit'} ({unit['kind']})", model(Path(path)), unit["kind"], w)


def curves_of_logs(run):
    """Points of all curves, [step][name], from the run's table."""
    if (run / "metrics.csv").exists():
        with open(run / "metrics.csv") as rows:
            columns = {"fitness": ["best", "mean", "std", "centre"], "speed": ["env_steps_per_s"]}
            return [{f"{group}/{name}": row[name] for group in columns for name in columns[group]} for row in csv.DictReader(rows)]
    generations = {}
    with open(run / "candidates.csv") as rows:
        for row in csv.DictReader(rows):
            generations.setdefault(int(row["generation"]), []).append(row)
    points, least = [], math.nan
    for rows in generations.values():
        judged = [row for row in rows if math.isfinite(float(row["error"]))]
        best = min(judged, key=lambda row: float(row["error"]), default={})
        errors = [float(row["error"]) for row in judged]
        least = min([least, *errors], key=lambda error: (math.isnan(error), error))
        mean = sum(errors) / len(errors) if errors else math.nan
        point = {"error/best": best.get("error", math.nan), "error/mean": mean, "error/best_so_far": least}
        rates = [name for name in rows[0] if name in ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")]
        points.append(point | {f"rate/{name}": best.get(name, math.nan) for name in rates})
    return points


def check_curves(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    if not list(run.glob("*tfevents*")):
        print(f"      {run}: no event file; try: phylon export {run} --to tensorboard")
        return
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    expected = curves_of_logs(run)
    names = set(expected[0]) if expected else set()
    check(f"{run}: TensorBoard has the curves", set(events.Tags()["scalars"]) == names, f" {', '.join(sorted(names))}")
    for name in sorted(names & set(events.Tags()["scalars"])):
        points = events.Scalars(name)
        seen = np.array([point.value for point in points], np.float32)
        logged = np.array([row[name] for row in expected], float).astype(np.float32)
        good = [point.step for point in points] == list(range(len(expected))) and np.array_equal(seen, logged, equal_nan=True)
        check(f"{run}: {name}", good, f", {len(points)} points")
    times = [point.wall_time for point in events.Scalars(next(iter(names)))] if names else []
    check(f"{run}: times do not go back", times == sorted(times))
    config = events.Tensors("config")[0].tensor_proto.string_val[0].decode()
    began = "".join(line[4:] + "\n" for line in config.splitlines())
    # How long a run is may have changed since.
    check(f"{run}: its config as text", began.split("\n")[0] == (run / "config.toml").read_text().split("\n")[0])


def check_policy(phylon, path, world, folder):
    out, archive = folder / "policy.onnx", folder / "policy.npz"
    for file in (out, archive):
        command = [phylon, "export", path, "--env", world, "--to", file.suffix[1:], "--out", file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    session, arrays = model(out), np.load(archive)
    functions = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "sigmoid": logistic,
        "identity": lambda x: x,
        "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
    }
    layers = sum(name.startswith("W") for name in arrays)
    x = np.random.default_rng(1).normal(size=(1000, len(arrays["W1"]))).astype(np.float32)
    outputs, action = session.run(["outputs", "action"], {"observations": x})
    expected = x.astype(float)
    for layer in range(1, layers + 1):
        expected = expected @ arrays[f"W{layer}"].astype(float) + arrays[f"b{layer}"].astype(float)
        if layer < layers:
            expected = functions[str(arrays["activation"])](expected)
    tolerance = allowed([np.vstack([arrays[f"W{i}"], arrays[f"b{i}"]]) for i in range(1, layers + 1)]) * np.abs(x).max()
    verdict(f"{path}: outputs", apart([outputs], [expected]), tolerance)
    same = np.array_equal(action, outputs.argmax(axis=1)) if action.ndim == 1 else np.array_equal(action, outputs.clip(-1, 1))
    check(f"{path}: actions", same)


def check_golden(models):
    paths = sorted(models.glob("cell_*.onnx"))
    check(f"{models}: models of golden files", bool(paths), f", {len(paths)}; cargo test --release --test export writes them")
    for path in paths:
        kind = path.stem.split("_")[1]
        golden = np.load(ROOT / "tests" / "golden" / "enu" / f"{path.stem}.npz")
        session, worst = model(path), 0
        # Beside the sums the files have a constant `b`, inside the clip.
        y = golden["pre"] - golden["b"]
        y = np.clip(y, 0, 1) if kind in ("enu", "nfenu") else y
        for t in range(1, len(golden["x"])):
            second = {"enu": ["o"], "lstm": ["c"]}.get(kind, [])
            state = np.hstack([golden["h"][t - 1], *(golden[name][t - 1] for name in second)]).astype(np.float32)
            after = np.hstack([golden["h"][t], *({"o": y, "c": golden.get("c")}[name][t] for name in second)])
            seen = session.run(["y", "new_state"], {"x": golden["x"][t], "state": state})
            worst = max(worst, apart(seen, (y[t], after)))
        # As tests/golden/enu/README.md has it for single precision.
        verdict(f"{path.stem}: {len(golden['x']) - 1} steps", worst, 1e-5)


def runs_of(path):
    cells = path / "cells"
    return sorted(run for run in cells.iterdir() if (run / "config.toml").exists()) if cells.is_dir() else [path]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("--policy", type=Path)
    parser.add_argument("--env")
    parser.add_argument("--models", type=Path)
    parser.add_argument("--phylon", default=ROOT / "target" / "release" / "phylon")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for run in (run for path in args.runs for run in runs_of(path)):
            if (run / "metrics.csv").exists():
                check_parameters(args.phylon, run, Path(folder))
            check_curves(run)
        if args.policy:
            check_policy(args.phylon, args.policy, args.env, Path(folder))
    if args.models:
        check_golden(args.models)
    print("all is as it should be" if not failed else f"{len(failed)} differ: {'; '.join(failed)}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
