#!/usr/bin/env bash
# Our native addons for another architecture. What is up to date is left as it is.
# Reads SV_NATIVE (sources), SV_TOOLCHAIN, SV_SYSROOT, SV_NODE_HEADERS; writes SV_NATIVE_BUILD (folder).
set -euo pipefail

main() {
    local fresh=() cache=${SV_NATIVE_BUILD}/CMakeCache.txt
    # CMake keeps the paths of the libraries that it found in another sysroot.
    if [ -e "${cache}" ] && ! grep --quiet --fixed-strings --line-regexp "NATIVE_SYSROOT:UNINITIALIZED=${SV_SYSROOT}" "${cache}"; then
        fresh=(--fresh)
    fi
    cmake "${fresh[@]}" -S "${SV_NATIVE}" -B "${SV_NATIVE_BUILD}" -G Ninja -D CMAKE_BUILD_TYPE=Release -D BUILD_TESTING=ON \
        -D CMAKE_TOOLCHAIN_FILE="${SV_TOOLCHAIN}" -D NATIVE_SYSROOT="${SV_SYSROOT}" -D CMAKE_JS_INC="${SV_NODE_HEADERS}"
    cmake --build "${SV_NATIVE_BUILD}" --target addons
}

main
