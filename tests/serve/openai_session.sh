#!/usr/bin/env bash
# The official `openai` npm client against the server: openai_session.sh FAKE_SERVER FOLDER.
# Installs the client into FOLDER. Exit status 77: skipped (no node, or no network).
set -uo pipefail
server=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null && command -v npm >/dev/null || {
  echo "SKIPPED: node and npm are not on this machine"; exit 77; }
mkdir -p "$folder"
if [[ ! -d $folder/node_modules/openai ]]; then
  (cd "$folder" && npm install --no-audit --no-fund --silent --prefix . openai@4) || {
    echo "SKIPPED: npm could not install the openai package (no network?)"; exit 77; }
fi
cp "$here/openai_session.mjs" "$folder/session.mjs"
coproc SERVER { exec "$server" 2; }
trap 'kill "$SERVER_PID" 2>/dev/null' EXIT
read -r port <&"${SERVER[0]}"
node "$folder/session.mjs" "http://127.0.0.1:$port/v1"
