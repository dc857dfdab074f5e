#!/usr/bin/env bash
# The initrd, made by the box's own initramfs-tools with our hook and scripts; they are not left in the root.
# Reads SV_ROOT, SV_INITRD_SOURCE; writes SV_WORK/initrd.img.
set -euo pipefail

# A time that no build changes: that of the commit would be in each header, and nothing of the initrd would be as it was.
readonly file_time=@0
# Of a block of an update.
readonly block_bytes=4096
readonly large=+256k

# The kernel takes archives behind each other. What is large has one of its own, in whole blocks, so that an updated library
# leaves the other blocks of the initrd what they were. Modules are compressed by themselves; names of one file stay together.
pack_groups() {
    local file is_module=(-path './usr/lib/modules/*' -name '*.ko.*') is_large=(-type f -links 1 -size "${large}")
    find . -exec touch --no-dereference --date="${file_time}" {} +
    # Microcode, where there is any, is looked for at the very beginning.
    cat ../mkinitramfs-FW_* >"${SV_WORK}/initrd.img"
    # Folders come before what is in them, and in the first archive: the kernel makes none by itself.
    find . ! \( "${is_module[@]}" \) ! \( "${is_large[@]}" \) | append compress
    find . "${is_module[@]}" | append cat
    while IFS= read -r file; do
        append compress <<<"${file}"
    done < <(find . "${is_large[@]}" ! \( "${is_module[@]}" \) | LC_ALL=C sort)
}

compress() { zstd --quiet -19; }

append() {
    LC_ALL=C sort | cpio --quiet --create --format=newc --reproducible --owner=+0:+0 | "$1" >>"${SV_WORK}/initrd.img"
    truncate --size="%${block_bytes}" "${SV_WORK}/initrd.img"
}

main() {
    local kernel configuration=${SV_ROOT}/etc/initramfs-tools work=/tmp/initrd
    kernel=$(ls "${SV_ROOT}/usr/lib/modules")
    cp --recursive "${SV_INITRD_SOURCE}/." "${configuration}/"
    chmod 0755 "${configuration}/repair-grubenv" "${configuration}/hooks/streamverse" "${configuration}"/scripts/*/streamverse-*
    sed --in-place 's/^MODULES=.*/MODULES=list/; s/^COMPRESS=.*/COMPRESS=zstd/' "${configuration}/initramfs.conf"
    # Names of hardware for people, a third of the initrd.
    rm --force "${SV_ROOT}/usr/lib/udev/hwdb.bin"
    mkdir "${SV_ROOT}${work}"
    mount --bind /proc "${SV_ROOT}/proc"
    trap 'umount "${SV_ROOT}/proc"' EXIT
    TMPDIR=${work} chroot "${SV_ROOT}" mkinitramfs -k -o "${work}/initrd.img" "${kernel}"
    umount "${SV_ROOT}/proc"
    trap - EXIT
    cd "${SV_ROOT}${work}"/mkinitramfs_??????/
    pack_groups
    cd /
    rm --recursive --force "${SV_ROOT}${work}" "${configuration}" "${SV_ROOT}/usr/share/initramfs-tools"
}

main
