#!/usr/bin/env bash
# Did this checkout get slower than another commit? Builds both, measures them against each other.
#   autotune/compare/gate.sh BASE_COMMIT [options of tritforge compare]
# Exit code: 0 no, 1 yes, 2 it cannot be said.
set -euo pipefail
cd "$(dirname "$0")/../.."
base=${1:?usage: gate.sh BASE_COMMIT [options of tritforge compare]}
shift
work=$(mktemp -d)
trap 'git worktree remove --force "$work/base" 2>/dev/null || true; rm -rf "$work"' EXIT
build() {  # a failed build cannot be compared: exit code 2
  (cd "$1" && cmake --preset release && cmake --build --preset release --target tritforge) >&2 || exit 2
}
git worktree add --detach "$work/base" "$base" >&2 || exit 2
build "$work/base"
build "$PWD"
build/release/bin/tritforge compare "$work/base/build/release/bin/tritforge" \
  build/release/bin/tritforge "$@"
