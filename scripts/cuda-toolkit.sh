#!/usr/bin/env bash
# Installs the CUDA compiler into .cuda/, where build.rs finds it: 104 MB of Python wheels, no root, no driver needed.
# The version is pinned to 13.0: machine code of a later 13.x may load on a 13.0 driver, its PTX does not.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v python3 >/dev/null || { echo "cuda-toolkit.sh needs python3 with pip" >&2; exit 1; }
# pip cannot replace a target folder it has filled before.
rm -rf .cuda
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target .cuda \
    --only-binary=:all: 'cuda-toolkit[nvcc,cccl]==13.0.3.0' 'nvidia-cuda-cuobjdump==13.2.86' 'nvidia-cuda-nvdisasm==13.2.86'
.cuda/nvidia/cu13/bin/nvcc --version | tail -n 2
echo "installed in .cuda; cargo build compiles the kernels now"
