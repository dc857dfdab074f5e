#!/usr/bin/env bash
# The initrd, made by the box's own initramfs-tools with our hook and scripts; they are not left in the root.
# Reads SV_ROOT, SV_INITRD_SOURCE; writes SV_WORK/initrd.img.
set -euo pipefail

main() {
    local kernel configuration=${SV_ROOT}/etc/initramfs-tools
    kernel=$(ls "${SV_ROOT}/usr/lib/modules")
    cp --recursive "${SV_INITRD_SOURCE}/." "${configuration}/"
    chmod 0755 "${configuration}/repair-grubenv" "${configuration}/hooks/streamverse" "${configuration}"/scripts/*/streamverse-*
    sed --in-place 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=zstd/' "${configuration}/initramfs.conf"
    mount --bind /proc "${SV_ROOT}/proc"
    trap 'umount "${SV_ROOT}/proc"' EXIT
    chroot "${SV_ROOT}" mkinitramfs -o /tmp/initrd.img "${kernel}"
    umount "${SV_ROOT}/proc"
    trap - EXIT
    mv "${SV_ROOT}/tmp/initrd.img" "${SV_WORK}/initrd.img"
    rm --recursive --force "${configuration}" "${SV_ROOT}/usr/share/initramfs-tools"
}

main
