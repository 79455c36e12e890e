#!/usr/bin/env bash
# Installs what is missing, builds and runs the tests; the last line counts them.
#   ./test.sh                default tier, preset release
#   ./test.sh --full         the long sweeps too, then the sanitizers, the runtime-only build and AArch64
#   ./test.sh --preset NAME  one preset of CMakePresets.json
# Further arguments go to ctest, e.g. ./test.sh -L runtime
set -euo pipefail
cd "$(dirname "$0")"
usage() { sed -n '2,6s/^# \?//p' "$0"; }
presets=(release) full=OFF
while (($#)); do
  case $1 in
    --full) full=ON; presets=(release asan tsan runtime-only cross-aarch64); shift ;;
    --preset) [[ $# -ge 2 ]] || { usage >&2; exit 2; }; presets=("$2"); shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) break ;;
  esac
done

# The cross build has packages of its own, and its kernels come from the release build's generator.
lists=()
if [[ " ${presets[*]} " == *" cross-aarch64 "* ]]; then lists+=(targets/toolchains/packages.txt); fi
.ci/install_packages "${lists[@]}"
if [[ ${presets[*]} == cross-aarch64 ]]; then
  cmake --preset release > /dev/null && cmake --build --preset release --target trit_generate_baseline
fi
passed=0 failed=0 skipped=0 broken=()
for preset in "${presets[@]}"; do
  log=build/$preset/tests.xml
  # The long sweeps belong to the release build; sanitizers run the default tier.
  sweeps=OFF; [[ $preset == release ]] && sweeps=$full
  if ! cmake --preset "$preset" -DTRIT_FULL_TESTS=$sweeps > "/tmp/trit-configure.$$" 2>&1; then
    cat "/tmp/trit-configure.$$"; rm -f "/tmp/trit-configure.$$"
    broken+=("$preset does not configure"); continue
  fi
  rm -f "/tmp/trit-configure.$$" "$log"
  if ! cmake --build --preset "$preset" -j "$(nproc)"; then
    broken+=("$preset does not build"); continue
  fi
  ctest --preset "$preset" -j "$(nproc)" --output-junit "$PWD/$log" "$@" || true
  # <testsuite name="..." tests="9" failures="0" disabled="0" skipped="1" ...>
  count() { grep -m1 -oE "\b$1=\"[0-9]+\"" "$log" | grep -oE '[0-9]+' || echo 0; }
  if [[ ! -s $log ]]; then broken+=("$preset ran no tests"); continue; fi
  t=$(count tests) f=$(count failures) s=$(($(count skipped) + $(count disabled)))
  ((t > 0)) || broken+=("$preset ran no tests")
  passed=$((passed + t - f - s)) failed=$((failed + f)) skipped=$((skipped + s))
done
for b in "${broken[@]}"; do echo "test.sh: $b"; done
echo "test.sh: $passed passed, $failed failed, $skipped skipped"
((failed == 0 && ${#broken[@]} == 0))
