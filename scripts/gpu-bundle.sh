#!/usr/bin/env bash
# Packs what runs on a machine with a GPU that has no compiler, no cargo and no network:
#   scripts/gpu-bundle.sh [--peers FOLDER]
# target/gpu-bundle/ then holds the program with kernels for every target, the tests that run on a device, the configs and
# run.sh, which runs all of it and leaves one results.json; target/gpu-bundle.tar.xz is the same to travel, a tenth as large,
# as every program there carries the same kernels. The machine needs a glibc no older than this one, an NVIDIA
# driver for CUDA 13.0 or newer, and python3. FOLDER holds other programs to time in the same turns: enu/jax_enu.py,
# enu/torch_enu.py, enu/ceiling.py and envs/bench_gymnax.py, with what they import.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-target}" PHYLON_CUDA=require
DEVICE_TESTS=(parity network_fast world_parity synaptogen_parity column_parity dqn_parity battery_parity gratings_parity)
LIMIT_MIB=60

peers=
case ${1-} in
'') ;;
--peers)
    peers=${2:?--peers needs a folder}
    for file in enu/common.py envs/bench_gymnax.py; do
        [[ -f $peers/$file ]] || { echo "gpu-bundle.sh: there is no $peers/$file" >&2; exit 2; }
    done
    ;;
*) echo "usage: scripts/gpu-bundle.sh [--peers FOLDER]" >&2; exit 2 ;;
esac

# The stand-in driver comes along: `run.sh` can then be tried where there is no GPU. One call builds the program with the
# tests that start it.
tests=("${DEVICE_TESTS[@]/#/--test=}")
built=$({
    cargo test --no-run --release --locked --features emu "${tests[@]}" --message-format=json
    cargo build --release --locked --features emu --example column_batch --example dqn_batch --message-format=json
} | python3 -c '
import json, sys
for m in map(json.loads, sys.stdin):
    if m.get("executable"):
        print(*m["target"]["kind"], m["target"]["name"], m["executable"], sep="\t")')

bundle=$CARGO_TARGET_DIR/gpu-bundle
rm -rf "$bundle"
mkdir -p "$bundle/tests"
while IFS=$'\t' read -r kind name file; do
    case $kind in
    bin | example) strip --strip-debug -o "$bundle/$name" "$file" ;;
    test) strip --strip-debug -o "$bundle/tests/$name" "$file" ;;
    esac
done <<<"$built"
cp -r configs "$bundle/"
cp scripts/gpu-bundle-run.sh "$bundle/run.sh"
cp scripts/gpu_results.py "$bundle/"
mkdir "$bundle/policies"
cp tests/golden/envs/policy_*.npz "$bundle/policies/"
mkdir -p "$bundle/golden/column"
cp tests/golden/column/{tiny,medium}_network* "$bundle/golden/column/"
mkdir -p "$bundle/golden/battery"
cp tests/golden/battery/{plate_default,plate_walls,memory,bcm}.npz "$bundle/golden/battery/"
if [[ $peers ]]; then
    mkdir -p "$bundle/peers/enu" "$bundle/peers/envs"
    cp "$peers"/enu/*.py "$bundle/peers/enu/"
    cp "$peers"/envs/bench_gymnax.py "$bundle/peers/envs/"
fi
git describe --always --dirty --abbrev=40 --exclude '*' >"$bundle/commit"

tar --create --directory "$CARGO_TARGET_DIR" gpu-bundle | xz --threads=0 --lzma2=preset=3,dict=128MiB >"$bundle.tar.xz"
size=$(stat --format=%s "$bundle.tar.xz")
echo "$bundle.tar.xz: $((size >> 10)) KiB"
if ((size > LIMIT_MIB << 20)); then
    echo "gpu-bundle.sh: that is more than $LIMIT_MIB MiB" >&2
    exit 1
fi
