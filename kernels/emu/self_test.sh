#!/bin/sh
# Builds and runs the emulated GPU's own tests, as they are and under sanitizers. Says "all right" or fails.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PHYLON_EMU_PATIENCE=1

build() { # folder, flags
    folder=$work/$1
    shift
    mkdir "$folder"
    "$here/build.sh" "$here/self_test.cu" "$folder/libcuda.so" -Wextra "$@"
    ${CXX:-g++} -std=c++17 -O1 -Wall -Wextra "$@" "$here/self_test.cpp" -o "$folder/self_test" \
        "$folder/libcuda.so" -Wl,-rpath,"$folder"
}

run() { # folder: the messages of kernels that must fail are only of interest if something else does
    if ! "$work/$1/self_test" >"$work/out" 2>&1; then
        cat "$work/out"
        echo "self_test.sh: $1 failed" >&2
        exit 1
    fi
}

must_report() { # kernel, comment on the line that a sanitizer must name
    line=$(grep -n "// $2" "$here/self_test.cu" | cut -d: -f1)
    if "$work/sanitized/self_test" "$1" >"$work/out" 2>&1 || ! grep -q "self_test.cu:$line" "$work/out"; then
        cat "$work/out"
        echo "self_test.sh: no report of $1 at self_test.cu:$line" >&2
        exit 1
    fi
}

build plain
run plain
PHYLON_EMU_THREADS=1 run plain
PHYLON_EMU_DEVICES=2 run plain
# Where its signal is caught, 139.
PHYLON_EMU_DEVICES=2 "$work/plain/self_test" pile_up elsewhere >"$work/out" 2>&1 && code=0 || code=$?
if [ $code != 139 ]; then
    cat "$work/out"
    echo "self_test.sh: a kernel has reached another device's memory (exit code $code)" >&2
    exit 1
fi
build ucontext -DEMU_UCONTEXT
run ucontext
build sanitized -g -fsanitize=address,undefined -fno-sanitize-recover=undefined
run sanitized
must_report writes_beyond_global "beyond global memory"
must_report writes_beyond_shared "beyond dynamic shared memory"
must_report writes_beyond_fixed_shared "beyond fixed shared memory"
echo "emulated GPU: all right"
