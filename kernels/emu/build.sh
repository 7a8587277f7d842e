#!/bin/sh
# Builds the stand-in driver around one kernel source:
#   kernels/emu/build.sh KERNELS.cu OUT.so [g++ flags, such as -Ikernels or -g -fsanitize=address,undefined]
# CXX names another compiler. Floating point is compiled as on the GPU with -fmad=false: no contraction.
set -eu
kernels=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
case $(uname -m) in
x86_64) machine='-mavx2 -mfma -mf16c' ;;
*) machine='' ;;
esac
flags="-std=c++17 -O2 $machine -ffp-contract=off -fPIC -fvisibility=hidden -Wall -Wno-unknown-pragmas"
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
compile() {
    ${CXX:-g++} $flags -I"$here" "$@"
}
compile "$@" -c "$here/runtime.cpp" -o "$objects/runtime.o" &
runtime=$!
# The driver calls are many and none is hot: less optimisation compiles them a second faster.
compile -O1 "$@" -c "$here/driver.cpp" -o "$objects/driver.o" &
driver=$!
compile "$@" -x c++ -c "$kernels" -o "$objects/kernels.o"
wait $runtime
wait $driver
${CXX:-g++} -shared -pthread -Wl,-soname,libcuda.so "$@" "$objects"/*.o -o "$out"
