#!/usr/bin/env bash
# Installs what is missing, builds the release preset and runs all tests of the default tier.
set -euo pipefail
cd "$(dirname "$0")"
missing=()
while read -r name _; do
  [[ -z $name || $name == \#* ]] && continue
  dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done < packages.txt
if ((${#missing[@]})); then
  echo "test.sh: installing ${missing[*]}"
  sudo=(); [[ $EUID == 0 ]] || sudo=(sudo)
  "${sudo[@]}" apt-get update -q
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi
cmake --preset release
cmake --build --preset release -j "$(nproc)"
ctest --preset release -j "$(nproc)"
