#!/usr/bin/env python3
"""What a policy earns in Gymnasium itself and in phylon's world of the same name.

    scripts/parity_gymnasium.py --env lunar-lander --policy FILE [--episodes 2000] [--json OUT]
    scripts/parity_gymnasium.py --all FOLDER        every policy_<world>*.npz, as a Markdown table

Gymnasium plays episodes with the seeds 0, 1, ...; phylon plays as many twice. With Gymnasium's seeds, episode by episode, 99
of 100 must have the same return and length (not so in the variants -f32 and -fast, which round differently), and the mean
difference must be within 3 standard errors. Returns are the same if they differ by less than 1e-6; where actions are
continuous 0.1, for there the last bit of the policy's own sums, in which NumPy and phylon differ, acts in the world. With
seeds of its own, the Kolmogorov-Smirnov distance of the returns must be below 1.63 sqrt((n + m) / (n m)), which equal
distributions exceed once in a hundred, and the means must be within 3 standard errors. The exit code is 1 if they are not.

Where this Python does not have them, Gymnasium and Box2D are installed into .venv-gymnasium, from wheels.
"""
import argparse
import concurrent.futures
import functools
import importlib.metadata
import json
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of pygame nothing is shown, but Gymnasium imports it.
PACKAGES = {"gymnasium": "1.4.0", "box2d": "2.3.10", "pygame": None, "numpy": None, "safetensors": None}

# Gymnasium's id and what it is made with; a name of ours may go on with a variant.
WORLDS = {
    "cartpole": ("CartPole-v1", {}),
    "mountain-car": ("MountainCar-v0", {}),
    "acrobot": ("Acrobot-v1", {}),
    "lunar-lander": ("LunarLander-v3", {}),
    "lunar-lander-wind": ("LunarLander-v3", {"enable_wind": True}),
    "lunar-lander-continuous": ("LunarLander-v3", {"continuous": True}),
    "lunar-lander-continuous-wind": ("LunarLander-v3", {"continuous": True, "enable_wind": True}),
}
INEXACT = ("-f32", "-fast")
PERCENTILES = (1, 5, 25, 50, 75, 95, 99)


def use_gymnasium():
    """Go on in the environment of our own if this one lacks something."""
    def is_here(package, version):
        try:
            return importlib.metadata.version(package) == version or version is None
        except importlib.metadata.PackageNotFoundError:
            return False

    if all(is_here(*package) for package in PACKAGES.items()):
        return
    folder = ROOT / ".venv-gymnasium"
    python = folder / "bin" / "python"
    if Path(sys.prefix) == folder:
        sys.exit(f"{folder} lacks a package; remove it to have it made again")
    if not (folder / "complete").exists():
        print(f"installing Gymnasium into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        names = [package + (f"=={version}" if version else "") for package, version in PACKAGES.items()]
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary=:all:", *names], check=True)
        (folder / "complete").touch()
    os.execv(python, [python, __file__, *sys.argv[1:]])


@functools.cache
def read_policy(path, observations, actions):
    """Matrices [in, out] with their biases, and the function between them."""
    import numpy as np

    if path.endswith(".safetensors"):
        from safetensors import safe_open
        with safe_open(path, "np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()} | (file.metadata() or {})
    else:
        tensors = dict(np.load(path))
    functions = {
        "relu": lambda x: np.maximum(x, 0),
        "tanh": np.tanh,
        "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
        "identity": lambda x: x,
        "selu": lambda x: np.float32(1.0507009873554805) * np.where(x > 0, x, np.float32(1.6732632423543772) * np.expm1(np.minimum(x, 0))),
    }
    layers = []
    while (weights := tensors.get(f"W{len(layers) + 1}")) is not None:
        layers.append((weights.astype(np.float32), np.float32(tensors.get(f"b{len(layers) + 1}", 0))))
    if (layers[0][0].shape[0], layers[-1][0].shape[1]) != (observations, actions):
        layers = [(weights.T, bias) for weights, bias in layers]
    return layers, functions[str(tensors.get("activation", "relu"))]


def play(path, world, seeds):
    """Returns and lengths of Gymnasium's episodes, each in an environment of its own."""
    import gymnasium
    import numpy as np

    name, options = WORLDS[world]
    episodes = []
    for seed in seeds:
        environment = gymnasium.make(name, disable_env_checker=True, **options)
        is_continuous = options.get("continuous", False)
        actions = environment.action_space.shape[0] if is_continuous else environment.action_space.n
        layers, function = read_policy(path, environment.observation_space.shape[0], actions)
        observation, _ = environment.reset(seed=seed)
        total, length, is_over = 0.0, 0, False
        while not is_over:
            x = observation.astype(np.float32)
            for weights, bias in layers[:-1]:
                x = function(x @ weights + bias)
            x = x @ layers[-1][0] + layers[-1][1]
            action = x if is_continuous else int(np.argmax(x))
            observation, reward, terminated, truncated, _ = environment.step(action)
            total, length, is_over = total + float(reward), length + 1, terminated or truncated
        environment.close()
        episodes.append((total, length))
    return episodes


def gymnasium_plays(path, world, episodes):
    import numpy as np

    workers = len(os.sched_getaffinity(0))
    seeds = [range(first, min(first + 20, episodes)) for first in range(0, episodes, 20)]
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        played = [pool.submit(play, path, world, some) for some in seeds]
        return np.array([episode for some in played for episode in some.result()]).T


def phylon_plays(phylon, path, name, episodes, *options):
    import numpy as np

    command = [phylon, "rollout", "--env", name, "--policy", path, "--episodes", str(episodes), "--json", "--returns", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed")
    answer = json.loads(done.stdout)
    return np.array([answer["returns"], answer["lengths"]], float)


def distribution(played):
    import numpy as np

    returns, lengths = played
    percentiles = dict(zip(map(str, PERCENTILES), np.percentile(returns, PERCENTILES)))
    return {"mean": returns.mean(), "sd": returns.std(), "percentiles": percentiles, "length": lengths.mean()}


def compare(phylon, path, name, episodes):
    import numpy as np

    world = next(name.removesuffix(end) for end in (*INEXACT, "") if name.endswith(end))
    theirs = gymnasium_plays(path, world, episodes)
    paired = phylon_plays(phylon, path, name, episodes, "--gymnasium-seeds")
    own = phylon_plays(phylon, path, name, episodes)

    difference = paired[0] - theirs[0]
    error = difference.std() / np.sqrt(episodes)
    tolerance = 0.1 if "continuous" in name else 1e-6
    equal = [np.mean(np.abs(ours - their) <= tolerance) for ours, their in zip(paired, theirs)]
    wanted = 0.0 if name.endswith(INEXACT) else 0.99
    by_seed = {
        "equal_returns": equal[0],
        "equal_lengths": equal[1],
        "wanted": wanted,
        "difference": difference.mean(),
        "standard_error": error,
        "passed": min(equal) >= wanted and abs(difference.mean()) <= 3 * error + 1e-9,
    }

    points = np.concatenate([theirs[0], own[0]])
    below = [np.searchsorted(np.sort(played[0]), points, side="right") / episodes for played in (theirs, own)]
    distance, limit = np.abs(below[0] - below[1]).max(), 1.63 * np.sqrt(2 / episodes)
    difference = own[0].mean() - theirs[0].mean()
    error = np.sqrt((own[0].var() + theirs[0].var()) / episodes)
    by_distribution = {
        "distance": distance,
        "limit": limit,
        "difference": difference,
        "standard_error": error,
        "passed": distance <= limit and abs(difference) <= 3 * error + 1e-9,
    }
    return {
        "env": name,
        "policy": path,
        "episodes": episodes,
        "gymnasium": importlib.metadata.version("gymnasium"),
        "played": {
            "Gymnasium": distribution(theirs),
            "phylon, Gymnasium's seeds": distribution(paired),
            "phylon, own seeds": distribution(own),
        },
        "by_seed": by_seed,
        "by_distribution": by_distribution,
        "passed": by_seed["passed"] and by_distribution["passed"],
    }


def verdict(passed):
    return "passed" if passed else "FAILED"


def describe(result):
    seed, both = result["by_seed"], result["by_distribution"]
    lines = [f"{result['env']}, {result['policy']}: {result['episodes']} episodes, Gymnasium {result['gymnasium']}", ""]
    lines.append(f"{'returns':26}" + "".join(f"{head:>9}" for head in ("mean", "sd", *(f"{p}%" for p in PERCENTILES), "length")))
    for name, played in result["played"].items():
        figures = [played["mean"], played["sd"], *played["percentiles"].values(), played["length"]]
        lines.append(f"{name:26}" + "".join(f"{figure:9.2f}" for figure in figures))
    lines += [
        "",
        f"{verdict(seed['passed'])} seed by seed: {seed['equal_returns']:.2%} of the returns and {seed['equal_lengths']:.2%} of the "
        f"lengths are equal (at least {seed['wanted']:.0%}); mean difference {seed['difference']:.4f}, standard error "
        f"{seed['standard_error']:.4f}",
        f"{verdict(both['passed'])} own seeds: distance {both['distance']:.4f} (at most {both['limit']:.4f}); difference of the means "
        f"{both['difference']:.4f}, standard error {both['standard_error']:.4f}",
    ]
    return "\n".join(lines)


HEAD = """\
| policy | world | Gymnasium | phylon, own seeds | equal returns | equal lengths | KS distance (limit) | verdict |
| --- | --- | --- | --- | --- | --- | --- | --- |"""


def row(result):
    seed, both, played = result["by_seed"], result["by_distribution"], result["played"]
    means = [f"{played[who]['mean']:.2f} ± {played[who]['sd']:.2f}" for who in ("Gymnasium", "phylon, own seeds")]
    cells = [Path(result["policy"]).stem, result["env"], *means, f"{seed['equal_returns']:.2%}", f"{seed['equal_lengths']:.2%}",
             f"{both['distance']:.4f} ({both['limit']:.4f})", verdict(result["passed"])]
    return f"| {' | '.join(cells)} |"


def policies(folder):
    """Worlds and files of the policies in a folder; of names that begin alike the longest is meant."""
    for path in sorted(folder.glob("policy_*.npz")):
        named = path.stem.removeprefix("policy_").replace("_", "-")
        worlds = [world for world in WORLDS if named.startswith(world)]
        if worlds:
            yield max(worlds, key=len), str(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--env", help="one of " + ", ".join(WORLDS) + ", or one of their variants")
    parser.add_argument("--policy", help=".npz or .safetensors")
    parser.add_argument("--all", type=Path, metavar="FOLDER")
    parser.add_argument("--episodes", type=int, default=2000)
    parser.add_argument("--phylon", type=Path, default=ROOT / "target" / "release" / "phylon")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write all figures to this file")
    args = parser.parse_args()
    if bool(args.all) == bool(args.env and args.policy):
        parser.error("either --env and --policy, or --all")
    if args.env and next((args.env.removesuffix(end) for end in INEXACT if args.env.endswith(end)), args.env) not in WORLDS:
        parser.error(f"--env is one of {', '.join(WORLDS)}, or one of their variants ({', '.join(INEXACT)})")
    if not args.phylon.exists():
        parser.error(f"there is no {args.phylon}; try: cargo build --release")
    found = list(policies(args.all)) if args.all else []
    if args.all and not found:
        parser.error(f"{args.all} has no policy_<world>*.npz")
    use_gymnasium()

    results = []
    if args.all:
        print(HEAD, flush=True)
        for world, policy in found:
            results.append(compare(args.phylon, policy, world, args.episodes))
            print(row(results[-1]), flush=True)
    else:
        results.append(compare(args.phylon, args.policy, args.env, args.episodes))
        print(describe(results[0]))
    if args.json:
        args.json.write_text(json.dumps(results if args.all else results[0], indent=1, default=lambda value: value.item()) + "\n")
    sys.exit(not all(result["passed"] for result in results))


if __name__ == "__main__":
    main()
