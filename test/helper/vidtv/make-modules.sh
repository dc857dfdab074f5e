#!/usr/bin/env bash
# The kernel's virtual DVB driver, which Debian does not build, for one kernel of Debian: its modules from that kernel's own
# sources, made in a file system of that release which is thrown away afterwards.
# Reads SV_SUITE, SV_MIRROR, SV_MIRROR_SECURITY, SV_KERNEL (6.12.1+deb13-amd64); writes the modules into SV_MODULES.
set -euo pipefail

main() {
    local version=${SV_KERNEL%%+*}
    local source=linux-source-${version%.*}
    mkdir --parents "${SV_MODULES}"
    # shellcheck disable=SC2016
    mmdebstrap --mode=root --format=null --variant=apt \
        --include="linux-headers-${SV_KERNEL},${source},make,xz-utils" --aptopt='Apt::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --customize-hook='chroot "$1" tar --extract --file /usr/src/'"${source}"'.tar.xz --directory /tmp \
            --strip-components=1 --wildcards "*/drivers/media/test-drivers/vidtv"' \
        --customize-hook='chroot "$1" make -C /usr/src/linux-headers-'"${SV_KERNEL}"' \
            M=/tmp/drivers/media/test-drivers/vidtv CONFIG_DVB_VIDTV=m modules' \
        --customize-hook='chroot "$1" sh -c "strip --strip-debug /tmp/drivers/media/test-drivers/vidtv/*.ko"' \
        --customize-hook='cp "$1"/tmp/drivers/media/test-drivers/vidtv/*.ko "${SV_MODULES}"' \
        "${SV_SUITE}" /dev/null "deb ${SV_MIRROR} ${SV_SUITE} main" "deb ${SV_MIRROR} ${SV_SUITE}-updates main" \
        "deb ${SV_MIRROR_SECURITY} ${SV_SUITE}-security main"
}

main
