#!/usr/bin/env bash
# Measures against other queues: builds, installs the peers beside the bench, and runs it on the Node that they want.
set -euo pipefail
cd "$(dirname "$0")/.."
npm run --silent build
[ -x bench/node_modules/.bin/node ] || npm --prefix bench ci --no-audit --no-fund --silent
exec bench/node_modules/.bin/node bench/run.js "$@"
