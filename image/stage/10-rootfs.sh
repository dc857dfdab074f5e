#!/usr/bin/env bash
# Debian as the mirror has it: the packages of the profile and nothing that they merely recommend.
# Reads SV_ARCH, SV_SUITE, SV_MIRROR, SV_PACKAGES (comma separated); writes SV_ROOTFS (tar).
set -euo pipefail

readonly excluded=(/usr/share/man /usr/share/locale /usr/share/doc /usr/share/info /usr/share/lintian)

main() {
    local options=() path
    for path in "${excluded[@]}"; do
        options+=("--dpkgopt=path-exclude=${path}/*")
    done
    mmdebstrap --mode=root --format=tar --variant=minbase --architectures="${SV_ARCH}" \
        --include="${SV_PACKAGES}" "${options[@]}" \
        --aptopt='Apt::Install-Recommends "false"' \
        --customize-hook='rm --recursive --force "$1"/var/lib/apt/lists "$1"/var/cache/apt' \
        "${SV_SUITE}" "${SV_ROOTFS}.part" "deb ${SV_MIRROR} ${SV_SUITE} main" \
        "deb ${SV_MIRROR} ${SV_SUITE}-updates main" "deb ${SV_MIRROR_SECURITY} ${SV_SUITE}-security main"
    mv "${SV_ROOTFS}.part" "${SV_ROOTFS}"
}

main
