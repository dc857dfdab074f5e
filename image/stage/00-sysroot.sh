#!/usr/bin/env bash
# What a build for another architecture needs of this machine's own Debian, for that architecture: libraries to link with, and
# GRUB's modules, which must be of the version of this machine's grub-mkimage. Packages are unpacked and not set up.
# Reads SV_ARCH, SV_HOST_SUITE, SV_MIRROR, SV_MIRROR_SECURITY, SV_SYSROOT_PACKAGES (comma separated); writes SV_SYSROOT (folder).
set -euo pipefail

# Those that lead to a file by its path on the target lead out of the folder here.
make_links_relative() {
    local link
    while IFS= read -r -d '' link; do
        ln --symbolic --force --relative "$1$(readlink "${link}")" "${link}"
    done < <(find "$1/usr" "$1/lib" -type l -lname '/*' -print0)
}

main() {
    local work=${SV_SYSROOT}.part
    rm --recursive --force "${work}"
    mmdebstrap --mode=root --format=directory --variant=extract --architectures="${SV_ARCH}" \
        --include="${SV_SYSROOT_PACKAGES}" --dpkgopt='path-exclude=/usr/share/*' \
        --aptopt='Apt::Install-Recommends "false"' --customize-hook='rm --recursive --force "$1"/dev "$1"/var' \
        "${SV_HOST_SUITE}" "${work}" "deb ${SV_MIRROR} ${SV_HOST_SUITE} main" \
        "deb ${SV_MIRROR} ${SV_HOST_SUITE}-updates main" "deb ${SV_MIRROR_SECURITY} ${SV_HOST_SUITE}-security main"
    make_links_relative "${work}"
    mv "${work}" "${SV_SYSROOT}"
}

main
