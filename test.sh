#!/usr/bin/env bash
# Builds and runs all tests, and ends with one line: N passed, N failed.
#
#   ./test.sh           everything below
#   ./test.sh --quick   the first step only
#
# 1. release build, all tests, on the best device (or FIREFINCH_TEST_DEVICE: number, part of a name, or UUID)
# 2. the tests that use a device again under the floor profile: Vulkan 1.1 without any optional feature
# 3. and again on Mesa's software device with other vector widths, that is with subgroups of 4 and 16
# 4. the compilers of eight GPUs, starts as on these, and plans on SwiftShader (tests/drivers, which fetches their drivers; skipped
#    without a network)
# 5. address and undefined-behaviour sanitizers: file formats, chat templates and the C API
#
# FIREFINCH_WERROR=ON makes warnings errors. JOBS: how much runs at once; default: the number of processors.
set -uo pipefail
cd "$(dirname "$0")" || exit 1
quick=no
case "${1-}" in
  "") ;;
  --quick) quick=yes ;;
  *) echo "test.sh: there is no option $1, only --quick" >&2; exit 2 ;;
esac

jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
test_jobs=$((jobs < 4 ? jobs : 4)) # they share one device
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log" "$log".*' EXIT

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}

# build PRESET [--target ...]: what cannot be built counts as one failure, and there is nothing to go on with.
build() {
  echo "== build $1"
  local preset=$1 spirv_of=
  shift
  [ "$preset" = release ] || spirv_of=$PWD/build/release # their shaders are the same
  if cmake --preset "$preset" -DFIREFINCH_TESTS=ON -DCMAKE_UNITY_BUILD=ON -DFIREFINCH_WERROR="${FIREFINCH_WERROR:-OFF}" \
       -DFIREFINCH_SPIRV_OF="$spirv_of" &&
     cmake --build --preset "$preset" -j "$jobs" "$@"; then return; fi
  failed=$((failed + 1))
  finish
}

# count LOG STATUS: what ctest wrote, and how it ended
count() {
  local left all
  read -r left all < <(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$1")
  if [ -n "${all-}" ]; then
    failed=$((failed + left)) passed=$((passed + all - left))
  elif [ "$2" -ne 0 ] || ! grep -q '^No tests were found' "$1"; then
    failed=$((failed + 1)) # ctest itself did not get that far
  fi
}

# run NAME PRESET [ctest arguments]
run() {
  echo "== $1"
  local preset=$2
  shift 2
  ctest --preset "$preset" -j "$test_jobs" "$@" 2>&1 | tee "$log"
  count "$log" "${PIPESTATUS[0]}"
}

.ci/install-packages --tests
if command -v ccache >/dev/null; then export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache; fi

build release
run "release" release -LE '^compilers$'
[ "$quick" = yes ] && finish

# The suites that have a floor test of their own have just run it, and these commands add nothing to it.
FIREFINCH_TEST_PROFILE=floor run "release, floor profile" release -LE '^(formats|program_text|pages|kernels|models|sessions|shaders|examples|package|compilers)$' \
  -E '^apps (chat|convert|inspect|lora|quantize|report|tokenize|tune)|standard suite|soak'

# What a session does with tokens, the program, the API and the hosts add nothing to what a width changes. Whole models and kernels' other
# constants run with subgroups of 8, plans launch by launch with 4 too, other kernels with 4, 8 and 16, of the products of
# several tokens with 8 alone. tests/drivers/run has the rest.
device_tests=(-LE '^(formats|apps|program_text|pages|sessions|shaders|api|hosts|examples|package|compilers)$')
always='_floor$|^models$|_constants$|_distributions$|_lanes$|_products$'
leave_out=([128]="$always|_dot\$" [512]="$always|^plans")
devices=$(build/release/firefinch devices --json)
if grep -q llvmpipe <<< "$devices"; then
  # Beside each other, as each ends with one long test.
  running=()
  for width in 128 512; do
    # The shader cache of Mesa does not notice a changed width. Less optimisation of shaders is a fifth less time.
    GALLIVM_PERF=nopt MESA_SHADER_CACHE_DIR=$PWD/build/mesa-$width LP_NATIVE_VECTOR_WIDTH=$width FIREFINCH_TEST_DEVICE=llvmpipe \
      ctest --preset release -j "$test_jobs" "${device_tests[@]}" -E "${leave_out[$width]}" > "$log.$width" 2>&1 &
    running[$width]=$!
  done
  for width in 128 512; do
    wait "${running[$width]}"
    status=$?
    echo "== release, software device, vectors of $width bits"
    cat "$log.$width"
    count "$log.$width" "$status"
  done
else
  echo "== no software device (Mesa's llvmpipe) here: its vector widths are not tested"
fi

run "drivers: compilers of GPUs, starts, SwiftShader" release -V -L '^compilers$'

build asan --target formats_tests c_api_test program_text_tests
run "asan, formats and texts" asan -L '^(formats|program_text)$'
# The drivers' own leaks are not ours to mend.
ASAN_OPTIONS=detect_leaks=0 run "asan, C API" asan -L '^api$'
finish
