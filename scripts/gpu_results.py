#!/usr/bin/env python3
"""Makes one JSON of the steps that the run.sh of a GPU bundle has run.

    gpu_results.py OUT          OUT/steps/* -> OUT/results.json and a table on stdout; exit code 1 if a step failed
    gpu_results.py --fields     what run.sh asks nvidia-smi for

A step is a folder: `command`, `rc`, `microseconds`, `stdout`, `stderr`, or `not_run` with the reason. What a step
printed is kept as it is; where that is JSON it is also kept as such. The standard library is all it takes.
"""
import datetime
import json
import platform
import sys
from pathlib import Path

FIELDS = ["name", "driver_version", "memory.total", "memory.used", "clocks.sm", "clocks.max.sm", "clocks.mem",
          "clocks.max.mem", "power.draw", "power.limit", "temperature.gpu", "pstate", "mig.mode.current"]


def text(path):
    return path.read_text(errors="replace") if path.exists() else ""


def parsed(output):
    """All of the output as JSON, or else its last line; None if neither is."""
    for candidate in (output, output.rstrip().rpartition("\n")[2]):
        try:
            return json.loads(candidate)
        except ValueError:
            pass
    return None


def step(folder):
    facts = {"name": folder.name.partition("-")[2]}
    if (folder / "not_run").exists():
        facts["not_run"] = text(folder / "not_run").strip()
    if (folder / "rc").exists():
        facts["rc"] = int(text(folder / "rc"))
    if (folder / "command").exists():
        facts["command"] = text(folder / "command").strip()
        facts["seconds"] = int(text(folder / "microseconds") or 0) / 1e6
        facts["stdout"], facts["stderr"] = text(folder / "stdout"), text(folder / "stderr")
        if (found := parsed(facts["stdout"])) is not None:
            facts["json"] = found
    return facts


def devices(steps, name):
    """What nvidia-smi said in the step of that name, a dictionary a device."""
    lines = next((s.get("stdout", "") for s in steps if s["name"] == name and s.get("rc") == 0), "").splitlines()
    return [dict(zip(FIELDS, (value.strip() for value in line.split(",")))) for line in lines]


def outcome(step):
    if step.get("rc", 0):
        return "OUT OF TIME" if step["rc"] == 124 else f"FAILED ({step['rc']})"
    return "not run: " + step["not_run"] if "not_run" in step else "ok"


def main():
    if sys.argv[1:] == ["--fields"]:
        print(",".join(FIELDS))
        return
    out = Path(sys.argv[1])
    # run.sh and the commit lie beside this file.
    commit = text(Path(__file__).resolve().parent / "commit").strip()
    steps = [step(folder) for folder in sorted((out / "steps").iterdir())]
    results = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": platform.platform(),
        "devices": devices(steps, "before"),
        "devices_after": devices(steps, "after"),
        "failed": [s["name"] for s in steps if s.get("rc", 0)],
        "not_run": [s["name"] for s in steps if "not_run" in s],
        "steps": steps,
    }
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    for s in steps:
        print(f"{s['name']:32} {s.get('seconds', 0):7.1f} s  {outcome(s)}")
    print(f"{len(steps)} steps, {len(results['failed'])} failed, {len(results['not_run'])} not run: {out / 'results.json'}")
    sys.exit(bool(results["failed"]))


if __name__ == "__main__":
    main()
