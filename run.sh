#!/usr/bin/env bash
# Installs what is missing, builds, tunes for this machine and lets a model speak.
#   ./run.sh                      the bundled model
#   ./run.sh MODEL [PROMPT...]    a GGUF file or a Hugging Face folder
# TRIT_TUNE_BUDGET (default 60s) bounds the tuning; a second run finds it done. 0 skips it.
set -euo pipefail
cd "$(dirname "$0")"
if [[ ${1:-} == -h || ${1:-} == --help ]]; then sed -n '2,5s/^# \?//p' "$0"; exit 0; fi
model=model/bundled/tritforge-tiny.gguf prompt="Once upon a time"
if (($#)); then
  [[ -e $1 ]] || { echo "run.sh: there is no file or folder $1" >&2; exit 1; }
  model=$(realpath "$1"); shift
  (($# == 0)) || prompt=$*
fi

.ci/install_packages
bin=build/release/bin
# Only the two programs: tests are built by ./test.sh.
cmake --preset release > /tmp/trit-run.$$ 2>&1 || { cat /tmp/trit-run.$$; rm -f /tmp/trit-run.$$; exit 1; }
rm -f /tmp/trit-run.$$
cmake --build --preset release -j "$(nproc)" --target trit tritforge

budget=${TRIT_TUNE_BUDGET:-60s}
if [[ $budget != 0 ]]; then
  $bin/tritforge tune -m "$model" --budget "$budget" ||
    echo "run.sh: tuning failed; the built-in kernels are used" >&2
fi
exec $bin/trit run -m "$model" -p "$prompt" -n 128 --timing
