#!/usr/bin/env bash
# Runs what scripts/gpu-bundle.sh has packed, beside this file, on a machine with a GPU:
#   ./run.sh [OUT [PART...]]
# PART is `checks` (parity, test by test, and sanitizers; several side by side), `times` (alone, in turns with the peers) or
# `counters` (Nsight Compute on every kernel of weight); by default checks and times. OUT (default ./out) must not exist yet. It
# takes what every step said, and in the end results.json, all of it in one file. A step that fails, or outlasts its limit, is
# recorded and stops no other; the exit code is 1 if there was one. All steps together get PHYLON_BUNDLE_SECONDS (default 520).
# PHYLON_BUNDLE_PYTHON names another python3 for the peers, and PHYLON_BUNDLE_ONLY, a regular expression, leaves out all steps
# whose names it does not match.
#
# PHYLON_BUNDLE_DEVICE=emu tries this script on the stand-in driver, in tiny sizes. Such times mean nothing.
set -uo pipefail
mkdir -p "$(dirname "${1:-out}")"
out=$(realpath "${1:-out}")
parts=("${@:2}")
((${#parts[@]})) || parts=(checks times)
cd "$(dirname "$0")" || exit
mkdir "$out" || exit
export device=${PHYLON_BUNDLE_DEVICE:-cuda} out
python=${PHYLON_BUNDLE_PYTHON:-python3}
end=${PHYLON_BUNDLE_SECONDS:-520}
only=${PHYLON_BUNDLE_ONLY:-}
number=0

if [[ $device == emu ]]; then
    populations=(4 8)
    trials=2
    length=(--set es.population=4 --set run.generations=60 --set run.checkpoint_every=2 --set run.validate_every=30
        --set run.validation_episodes=4 --set task.iaf.steps=6)
    mazes=(4 8) maze=4 most=16
    episodes=(cartpole 40 mountain-car 40 acrobot 40 lunar-lander 4)
    grown=20
    columns=(1 2) of_columns=(S=20) whole=full:0.015
    learners=(acrobot-16) learners_steps=20
    animals=(4) lives=2
    of_profile() { [[ $1 == tmaze ]] && short_lives 2 || echo --set "task.$1.steps=12" --set run.validation_episodes=4; }
else
    populations=(1024 8192 65536)
    trials=30
    length=(--set run.generations=8000 --set run.checkpoint_every=200)
    mazes=(64 256 1024 4096 16384 65536 262144) maze=1024 most=1048576
    # A second or so each, if the floors of kernels/README.md are met to a tenth.
    episodes=(cartpole 40000000 mountain-car 4000000 acrobot 1000000 lunar-lander 500000)
    grown=1000000
    columns=(132 264 1056) of_columns=() whole=full
    learners=(all cartpole mountain-car acrobot lunar-lander) learners_steps=20000
    animals=(1024 16384) lives=32
    # 400 network steps, and energy for all of them: nobody dies, so that everything that is counted is computed.
    # Batches of one, as a generation of a million takes seconds.
    of_profile() {
        [[ $1 == tmaze ]] && echo --set task.t_maze.actions=100 --set task.t_maze.energy=100 --set run.checkpoint_every=1
    }
fi
# Two windows of environments, the second not full; some generations, some of them judged.
small() {
    echo --set es.population=16 --set run.generations=4 --set run.validate_every=2 --set run.validation_episodes=40
    if [[ $1 == tmaze ]]; then short_lives 40; else echo --set "task.$1.environments=40" --set "task.$1.steps=12"; fi
}
short_lives() { # environments
    echo --set "task.t_maze.environments=$1" --set task.t_maze.actions=6 --set task.t_maze.ticks_per_action=2 \
        --set task.t_maze.energy=4 --set run.validation_episodes=8
}
run=(./phylon run --quiet --no-report)

folder_of() {
    printf '%s/steps/%03d-%s' "$out" "$number" "$1"
}

# step NAME SECONDS COMMAND...: beside at most `together - 1` others.
together=1
step() {
    local name=$1 limit=$2 left=$((end - SECONDS)) folder
    shift 2
    [[ $name =~ $only ]] || return 0
    if ((left < 1)); then
        leave_out "$name" "no time was left"
        echo 124 >"$(folder_of "$name")/rc"
        return
    fi
    number=$((number + 1))
    folder=$(folder_of "$name")
    mkdir -p "$folder"
    echo "$*" >"$folder/command"
    while (($(jobs -rp | wc -l) >= together)); do wait -n; done
    execute "$name" "$folder" "$((left < limit ? left : limit))" "$@" &
    ((together > 1)) || wait
}
execute() { # NAME FOLDER SECONDS COMMAND...
    local name=$1 folder=$2 limit=$3 begin=${EPOCHREALTIME/./} rc
    shift 3
    timeout --kill-after=3 "$limit" "$@" >"$folder/stdout" 2>"$folder/stderr" </dev/null &
    wait $!
    rc=$?
    # Whoever outlived it would be on the device beside what comes next: a run under a sanitizer ends its generation first.
    kill -KILL -- -$! 2>/dev/null
    echo $((${EPOCHREALTIME/./} - begin)) >"$folder/microseconds"
    echo $rc >"$folder/rc"
    echo "$name: $([[ $rc == 0 ]] && echo ok || echo "failed with $rc") ($SECONDS s)"
}

# leave_out NAME WHY: not run, and not a failure.
leave_out() {
    [[ $1 =~ $only ]] || return 0
    number=$((number + 1))
    mkdir -p "$(folder_of "$1")"
    echo "$2" >"$(folder_of "$1")/not_run"
    echo "$1: not run: $2"
}

device_facts() {
    if command -v nvidia-smi >/dev/null; then
        step "$1" 20 nvidia-smi --format=csv,noheader,nounits --query-gpu="$(python3 gpu_results.py --fields)"
    else
        leave_out "$1" "there is no nvidia-smi"
    fi
}

# A run that is killed after a checkpoint and resumed ends in the bits of one that nothing happened to.
killed_and_resumed() { # numerics, arguments
    local run=(./phylon run --quiet --no-report --device "$device") numerics=$1
    local straight=$out/runs/straight-$numerics killed=$out/runs/killed-$numerics
    shift
    "${run[@]}" configs/enu-iaf-paper.toml --runs-dir "$out/runs" --name "straight-$numerics" "$@"
    "${run[@]}" configs/enu-iaf-paper.toml --runs-dir "$out/runs" --name "killed-$numerics" "$@" &
    set +x
    until [[ -e $killed/checkpoint.safetensors ]] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
    set -x
    kill -KILL $!  # fails where the run was too short for it
    wait $! || true
    if cmp --silent "$straight/fitness.f32" "$killed/fitness.f32"; then return 1; fi
    "${run[@]}" --resume "$killed"
    for file in fitness.f32 best.safetensors checkpoint.safetensors; do
        cmp "$straight/$file" "$killed/$file"
    done
}

# Exact numerics give the same bits on every device.
equals_the_cpu() { # name, task, arguments
    local name=$1 task=$2
    shift 2
    for on in "$device" cpu; do
        ./phylon run --quiet --no-report --device "$on" "configs/enu-$task-paper.toml" --runs-dir "$out/runs" \
            --name "$name-$on" "$@"
    done
    cmp "$out/runs/$name-$device/fitness.f32" "$out/runs/$name-cpu/fitness.f32"
}
export -f killed_and_resumed equals_the_cpu

sanitizer=$(PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer)
sanitize() { # tool, name, command...
    local name=$1-$2
    if [[ $device == emu ]]; then
        leave_out "$name" "the stand-in driver is no GPU"
    elif [[ -z $sanitizer ]]; then
        leave_out "$name" "there is no compute-sanitizer on PATH or in /usr/local/cuda/bin"
    else
        step "$name" 90 "$sanitizer" --tool "$1" --error-exitcode 99 "${@:3}"
    fi
}
sanitize_run() { # tool, task, numerics, arguments of synapses that follow a rule
    local name=$2${4:+-rule}-$3
    sanitize "$1" "$name" "${run[@]}" "configs/enu-$2-paper.toml" --device "$device" --runs-dir "$out/runs" --name "$1-$name" \
        --set "run.numerics=$3" $(small "$2") "${@:4}"
}
# Of a network in a maze, instead of units.
rule_synapses=(--set network.rule.rewarded_stdp.rate=0.5)

# One unit in assays of the battery: population and lives, then arguments.
battery() { # population, lives
    echo --device "$device" --set "es.population=$1" --set "task.assay.lives=$2" --set unit.gru.outputs=6
}
# The same of networks.
network() { # population, lives
    echo --device "$device" --set "es.population=$1" --set "task.assay.lives=$2"
}
all_assays='task.assay.assays=["A", "B", "C", "D", "E", "F"]' short_assays='task.assay.assays=["C", "E", "F"]'

ours() { # task, numerics, trials, population
    step "phylon-$1-$2-$3-$4" 40 ./phylon profile "configs/enu-$1-paper.toml" --json --device "$device" \
        --trials "$3" --set "run.numerics=$2" --set "es.population=$4" $(of_profile "$1")
}

# Whether the peers and a module are there; if not, NAME is left out.
available() { # NAME, module
    if [[ ! -d peers/enu ]]; then
        leave_out "$1" "the bundle was made without peers"
    elif ! "$python" -c "import importlib.util as u, sys; sys.exit(u.find_spec('$2') is None)"; then
        leave_out "$1" "$python has no $2"
    else
        return 0
    fi
    return 1
}

peer() { # NAME, module that it needs, generations, arguments...
    local name=$1 generations=$3
    available "$name" "$2" || return
    shift 3
    if [[ $device == emu ]]; then
        step "$name" 60 "$python" "$@" --device cpu --gens 1 --warmup 1 --steps 12
    else
        # JAX takes most of the memory at once unless it is told not to.
        step "$name" 45 env XLA_PYTHON_CLIENT_PREALLOCATE=false "$python" "$@" --device cuda --gens "$generations"
    fi
}

peers() { # task, population, generations
    local sizes=(--task "$1" --pop "$2")
    [[ $1 == iaf ]] && sizes+=(--nx 16 --no 16)
    peer "jax-$1-$2" jax "$3" peers/enu/jax_enu.py "${sizes[@]}"
    peer "torch-$1-$2" torch "$3" peers/enu/torch_enu.py "${sizes[@]}" --impl fused --cuda-graph --tf32
}

# Twice, so that a card that warms up or is shared shows.
in_turns() { # task, population, generations
    local round numerics
    for round in 1 2; do
        for numerics in exact fast; do
            ours "$1" $numerics 1 "$2"
        done
        peers "$@"
    done
}

checks() {
    local test task numerics tool sampler
    first_profiles 16
    [[ $device == emu ]] || together=8
    for test in tests/*; do
        for name in $("$test" --list --format terse | sed -n 's/: test$//p'); do
            step "$(basename "$test")-$name" 180 env "PHYLON_TEST_DEVICE=$device" "PHYLON_GOLDEN=$PWD/golden" "$test" --exact "$name"
        done
    done
    for task in iaf stdp tmaze; do
        step "equals-the-cpu-$task" 60 bash -euxc 'equals_the_cpu "$@"' - $task $task $(small $task) \
            $([[ $task == tmaze ]] && echo --set unit.enu.initial_scale=3)
    done
    step equals-the-cpu-tmaze-rule 60 bash -euxc 'equals_the_cpu "$@"' - tmaze-rule tmaze $(small tmaze) --set unit.enu.initial_scale=3 \
        "${rule_synapses[@]}"
    for numerics in exact fast; do
        step "killed-and-resumed-$numerics" 90 bash -euxc 'killed_and_resumed "$@"' - $numerics \
            --set "run.numerics=$numerics" "${length[@]}"
    done
    for tool in memcheck racecheck initcheck synccheck; do
        sanitize_run $tool iaf exact
        sanitize_run $tool iaf fast
        sanitize_run $tool stdp fast
        sanitize_run $tool tmaze exact
        sanitize_run $tool tmaze fast
        sanitize_run $tool tmaze exact "${rule_synapses[@]}"
        for sampler in law direct; do
            sanitize $tool "grow-$sampler" ./phylon grow profiles/16 --sampler $sampler --agents 50 --play cartpole --device "$device"
        done
        # Racecheck is a hundred times slower than a run: it gets the assays whose lives are short.
        sanitize $tool battery "${run[@]}" configs/battery-two.toml --runs-dir "$out/runs" --name "$tool-battery" $(battery 2 20) \
            --set "$([[ $tool == racecheck ]] && echo "$short_assays" || echo "$all_assays")" --set run.first_centres=1 \
            --set run.generations=1 --set run.validate_every=1 --set run.validation_episodes=6
        # Networks, whose synapses are units or follow a rule.
        for network in enu rule; do
            sanitize $tool "battery-$network" "${run[@]}" "configs/battery-$network-avoidance.toml" --runs-dir "$out/runs" \
                --name "$tool-battery-$network" $(network 2 20) --set run.first_centres=1 --set run.generations=1 \
                --set run.validate_every=1 --set run.validation_episodes=6
        done
        sanitize $tool columns ./column_batch "$device" S=2 2
        sanitize $tool column-whole ./column_batch "$device" S=20 full:0.1
        sanitize $tool dqn ./dqn_batch "$device" steps=300 acrobot-16
    done
    wait
    together=1
    rm -rf "$out/runs"
}

# A policy of 128 units for every world, which does nothing but cost.
idle_policies() {
    python3 - <<'PYTHON'
import json, struct
for world, seen, acts in [("cartpole", 4, 2), ("mountain-car", 2, 3), ("acrobot", 6, 3), ("lunar-lander", 8, 4)]:
    at, header, data = 0, {"__metadata__": {"activation": "tanh"}}, b""
    for name, shape in [("W1", [seen, 128]), ("b1", [128]), ("W2", [128, acts]), ("b2", [acts])]:
        count = shape[0] * shape[-1] if len(shape) == 2 else shape[0]
        data += struct.pack(f"<{count}f", *((7 * i % 11 - 5) / 50 for i in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, len(data)]}
        at = len(data)
    text = json.dumps(header).encode()
    open(f"policies/128-{world}.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
PYTHON
}
# A profile of CartPole with so many genes, drawn as a first one, in a folder.
first_profiles() { # genes...
    python3 - "$@" <<'PYTHON'
import json, os, random, struct, sys
layers, kinds = [4, 128, 2], 3
for genes in map(int, sys.argv[1:]):
    draw, at, header, data = random.Random(1), 0, {}, b""
    def put(name, shape, deviation):
        global at, data
        count = shape[0] * (shape[1] if len(shape) == 2 else 1)
        data += struct.pack(f"<{count}f", *(draw.gauss(0, deviation) for _ in range(count)))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, len(data)]}
        at = len(data)
    for i, n in enumerate(layers):
        put(f"X{i}", [n, genes], (2 / genes) ** 0.5)
    for i, n in enumerate(layers[:-1]):
        put(f"T{i}", [n, kinds], (2 / kinds) ** 0.5)
    for i, n in enumerate(layers[1:], 1):
        put(f"R{i}", [n, 2 * kinds], kinds ** -0.5)
    for i, n in enumerate(layers[:-1]):
        put(f"b{i + 1}", [layers[i + 1]], (2 / (n + 1)) ** 0.5)
    put("O", [genes, genes], 1 / genes)
    put("K", [kinds, 2 * kinds], (2 * kinds * kinds) ** -0.5)
    record = {"format": 1, "layers": layers, "genes": genes, "neurotransmitters": kinds}
    header["__metadata__"] = {"profile": json.dumps(record)}
    text = json.dumps(header).encode()
    os.makedirs(f"profiles/{genes}", exist_ok=True)
    open(f"profiles/{genes}/profile.safetensors", "wb").write(struct.pack("<Q", len(text)) + text + data)
PYTHON
}
grow() { # genes, sampler, agents, arguments...
    local name=grow-$1-$2-$3
    step "$name${4:+-play}" 60 ./phylon grow "profiles/$1" --sampler "$2" --agents "$3" --device "$device" --json "${@:4}"
}

rollout() { # world, policy, episodes
    step "rollout-$1-$(basename "$2")" 40 ./phylon rollout --env "$1" --policy "$2" --episodes "$3" --device "$device" --json
}

times() {
    # In turns with the peers.
    in_turns iaf "${populations[0]}" 30
    for numerics in exact fast; do
        ours iaf $numerics $trials "${populations[0]}"
        ours stdp $numerics 1 "${populations[0]}"
        ours stdp $numerics $trials "${populations[0]}"
    done
    peers stdp "${populations[0]}" 30
    # The peers know no trials; a population as large as all of them is the same work.
    peers iaf $((trials * populations[0])) 10
    for population in "${populations[@]:1}"; do
        for numerics in exact fast; do
            ours iaf $numerics 1 "$population"
        done
        peers iaf "$population" 5
    done
    # Networks in the maze: the size that the peers are timed at in turns with them, then the table over populations.
    in_turns tmaze $maze 3
    for population in "${mazes[@]}"; do
        ours tmaze fast 1 "$population"
    done
    step "phylon-tmaze-rule-$maze" 40 ./phylon profile configs/enu-tmaze-paper.toml --json --device "$device" --set "es.population=$maze" \
        $(of_profile tmaze) "${rule_synapses[@]}"
    # A generation of a million takes seconds, of which a profile would want a dozen: two of them, and the seconds that they took.
    step "phylon-tmaze-run-$most" 60 bash -euc 'folder=$1; shift; "$@"; cat "$folder/metrics.csv"' - "$out/runs/most" "${run[@]}" \
        configs/enu-tmaze-paper.toml --device "$device" --runs-dir "$out/runs" --name most $(of_profile tmaze) --set run.numerics=fast \
        --set "es.population=$most" --set run.generations=3 --set run.validation_episodes=8 --set run.checkpoint_every=1
    # Animals of one unit in each assay that can be evolved, and then in all of them.
    for population in "${animals[@]}"; do
        for assay in A B C D E F; do
            step "battery-$assay-$population" 40 ./phylon profile configs/battery-two.toml --json $(battery "$population" "$lives") \
                --set "task.assay.assays=[\"$assay\"]"
        done
        step "battery-all-$population" 40 ./phylon profile configs/battery-two.toml --json $(battery "$population" "$lives") \
            --set "$all_assays"
        for animal in enu-chemotaxis enu-avoidance rule-avoidance rule-preference; do
            step "battery-$animal-$population" 40 ./phylon profile "configs/battery-$animal.toml" --json $(network "$population" "$lives")
        done
    done
    step battery-G 60 ./phylon battery --controller positive --assay G --lives "$lives" --no-conditions --device "$device" \
        --out "$out/runs/G" --json
    # Worlds: with random actions, with a policy of 128 units that does nothing but cost, and with those that land and balance.
    idle_policies
    for ((i = 0; i < ${#episodes[@]}; i += 2)); do
        world=${episodes[i]} count=${episodes[i + 1]}
        rollout "$world" random "$count"
        [[ $world == lunar-lander ]] || rollout "$world-f32" random "$count"
        rollout "$world" "policies/128-$world.safetensors" "$((count / 4))"
    done
    rollout lunar-lander policies/policy_lunar_lander_good.npz "$((episodes[7] / 4))"
    rollout lunar-lander-fast policies/policy_lunar_lander_good.npz "$((episodes[7] / 4))"
    # Agents of SynaptoGen: sampled, and a whole evaluation, every one of them playing ten episodes.
    first_profiles 16 64
    for genes in 16 64; do
        grow $genes law $grown
        grow $genes direct $grown
    done
    grow 16 law $grown --play cartpole
    for world in CartPole-v1 MountainCar-v0 Acrobot-v1; do
        if available "gymnax-$world" gymnax; then
            step "gymnax-$world" 45 env XLA_PYTHON_CLIENT_PREALLOCATE=false "$python" peers/envs/bench_gymnax.py --env $world \
                --num-envs $([[ $device == emu ]] && echo 64 || echo 65536)
        fi
    done
    # Columns: as many as there are multiprocessors, two on each, and a generation of a search.
    for count in "${columns[@]}"; do
        step "columns-$count" 40 ./column_batch "$device" "${of_columns[@]}" "$count"
    done
    # All multiprocessors on one: 300 million synapses.
    step column-whole 40 ./column_batch "$device" "${of_columns[@]}" "$whole"
    # Learners: the paper's tables side by side, and each world alone, for a part of their length.
    for batch in "${learners[@]}"; do
        step "dqn-$batch" 60 ./dqn_batch "$device" "steps=$learners_steps" "$batch"
    done
    # Single precision as such, and half precision, of what was timed above in what the peers choose on a GPU.
    sizes=(--task iaf --nx 16 --no 16 --pop "${populations[0]}")
    peer jax-float32 jax 30 peers/enu/jax_enu.py "${sizes[@]}" --precision highest
    peer torch-float32 torch 30 peers/enu/torch_enu.py "${sizes[@]}" --impl fused --cuda-graph
    peer jax-bfloat16 jax 30 peers/enu/jax_enu.py "${sizes[@]}" --dtype bfloat16
    peer torch-bfloat16 torch 30 peers/enu/torch_enu.py "${sizes[@]}" --impl fused --cuda-graph --dtype bfloat16
    if [[ $device != emu ]] && available ceiling torch; then
        step ceiling 45 "$python" peers/enu/ceiling.py --device cuda --n 8192
    fi
}

# What decides a kernel's time, from the hardware's counters: stalls, issue, memory, occupancy.
counters() {
    local ncu
    ncu=$(PATH=$PATH:/usr/local/cuda/bin command -v ncu)
    counted() { # NAME KERNEL COMMAND...; the second launch, or that after $skip others
        local name=$1 kernel=$2
        shift 2
        step "ncu-$name" 60 "$ncu" --clock-control none --set full --print-details all --kernel-name "regex:$kernel" \
            --launch-skip "${skip:-1}" --launch-count 1 "$@"
    }
    if [[ ! $ncu ]]; then
        leave_out ncu "there is no Nsight Compute on PATH or in /usr/local/cuda/bin"
        return
    fi
    for numerics in exact fast; do
        counted "iaf-$numerics" rollout_ ./phylon profile configs/enu-iaf-paper.toml --device "$device" --trials $trials \
            --set "run.numerics=$numerics"
        counted "tmaze-$numerics" network_ ./phylon profile configs/enu-tmaze-paper.toml --device "$device" \
            --set "run.numerics=$numerics" --set "es.population=$maze" $(of_profile tmaze)
    done
    first_profiles 16
    for sampler in law direct; do
        skip=0 counted "grow-$sampler" "grow_$sampler" ./phylon grow profiles/16 --sampler $sampler --agents $grown --device "$device"
    done
    skip=0 counted population population_world ./phylon grow profiles/16 --agents $grown --play cartpole --device "$device"
    counted update update ./phylon profile configs/enu-iaf-paper.toml --device "$device" --trials $trials
    idle_policies
    counted columns column_one ./column_batch "$device" S=1000 264
    counted column-whole column_whole ./column_batch "$device" S=1000 full
    skip=0 counted dqn learn ./dqn_batch "$device" steps=400 acrobot
    for world in cartpole cartpole-f32 acrobot lunar-lander; do
        counted "$world" "rollout_world" ./phylon rollout --env $world --episodes 400000 --device "$device" --json
    done
}

uname -a
mkdir "$out/steps"
device_facts before
step device 20 ./phylon list devices --json
for part in "${parts[@]}"; do
    $part
done
device_facts after
rm -rf "$out/runs"
exec python3 gpu_results.py "$out"
