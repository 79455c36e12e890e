#!/usr/bin/env bash
# Makes the bundled model again, from nothing: corpus, tokenizer, both trainings side by side,
# export, GGUF, reference numbers. Stopped and called again it goes on from the last checkpoint.
#   model/bundled/reproduce.sh [FOLDER [STEPS]]
# Needs Debian's python3-torch (with libopenblas0-pthread) and a built `trit`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
run=${1:-$root/build/bundled}
steps=${2:-4000}
trit=${TRIT:-$root/build/release/bin/trit}
python=${PYTHON:-/usr/bin/python3}
[[ -x $trit ]] || { echo "reproduce.sh: no program at $trit; build the release preset, or set TRIT" >&2; exit 1; }

# One core a training: the matrices are too small to be worth dividing. Tensors are kept on the heap,
# for fresh pages at every step cost a tenth of the time.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
export MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=4000000000 MALLOC_TOP_PAD_=268435456

[[ -f $run/data.json ]] || "$python" "$here/prepare.py" "$run" --tokens $((steps * 8 * 512))
"$python" "$here/train.py" "$run" --steps "$steps" &
ternary=$!
"$python" "$here/train.py" "$run" --steps "$steps" --twin &
twin=$!
trap 'kill $ternary $twin 2>/dev/null || true' INT TERM
wait $ternary
wait $twin
"$python" "$here/export.py" "$run/ternary.pt" "$run/tokenizer.json" "$run/hf"
"$trit" convert "$run/hf" -o "$here/tritforge-tiny.gguf" --force
"$python" "$here/reference.py" "$run/hf" "$here/reference" --run "$run"
