#!/usr/bin/env bash
# The update: a RAUC bundle (format verity) of the root and boot images, each with an index of its blocks, so that a box
# fetches only those that it does not have. The images lie in it at whole blocks, as they lie in a slot.
# Reads SV_WORK, SV_COMPATIBLE, SV_VERSION, SV_SIGNER_KEY, SV_SIGNER_CERT, SV_INTERMEDIATE, SV_KEYRING; writes SV_BUNDLE.
set -euo pipefail

readonly block_bytes=4096
# Of squashfs: its superblock (96), and the options of its compressor (2 + 4) behind it.
readonly head_bytes=102

# What is written first fills the first block; what is no whole number of blocks comes last.
order_files() {
    local content=$1 name priority=100
    head --bytes=$((block_bytes - head_bytes)) /dev/zero | tr '\0' '\377' >"${content}/alignment"
    for name in alignment rootfs.img boot.img boot.img.block-hash-index rootfs.img.block-hash-index manifest.raucm; do
        echo "${content}/${name} ${priority}"
        priority=$((priority - 1))
    done >"${SV_WORK}/bundle.sort"
}

main() {
    local content=${SV_WORK}/bundle
    rm --recursive --force "${content}" "${SV_BUNDLE}"
    mkdir "${content}"
    ln "${SV_WORK}/rootfs.img" "${content}/rootfs.img"
    ln "${SV_WORK}/boot.img" "${content}/boot.img"
    cat >"${content}/manifest.raucm" <<MANIFEST
[update]
compatible=${SV_COMPATIBLE}
version=${SV_VERSION}

[bundle]
format=verity

[image.rootfs]
filename=rootfs.img
adaptive=block-hash-index

[image.boot]
filename=boot.img
adaptive=block-hash-index
MANIFEST
    order_files "${content}"
    rauc bundle --cert="${SV_SIGNER_CERT}" --key="${SV_SIGNER_KEY}" --intermediate="${SV_INTERMEDIATE}" \
        --mksquashfs-args='-comp zstd -Xcompression-level 3 -noD -noF -no-fragments -no-progress'" -sort '${SV_WORK}/bundle.sort'" \
        "${content}" "${SV_BUNDLE}"
    rm --recursive --force "${content}"
    cmp --bytes="${block_bytes}" --ignore-initial="${block_bytes}:0" "${SV_BUNDLE}" "${SV_WORK}/rootfs.img"
    verify
}

# As a box will, before anybody publishes it: the tool alone checks a purpose that is not that of e-mail by its configuration.
verify() {
    printf '[system]\ncompatible=%s\nbootloader=noop\n[keyring]\npath=%s\ncheck-purpose=codesign\n' \
        "${SV_COMPATIBLE}" "${SV_KEYRING}" >"${SV_WORK}/verify.conf"
    rauc --conf="${SV_WORK}/verify.conf" info "${SV_BUNDLE}"
}

main
