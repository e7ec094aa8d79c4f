#!/usr/bin/env bash
# Builds the program and lets it write a scene with the embedded demo model. Arguments go to `firefinch generate`.
set -euo pipefail
cd "$(dirname "$0")"

.ci/install-packages
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache; fi
cmake --preset release >&2
cmake --build --preset release --target firefinch_program >&2
exec build/release/firefinch generate -v "$@"
