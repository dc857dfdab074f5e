#!/usr/bin/env bash
# The update: a RAUC bundle (format verity) of the root and boot images, each with an index of its blocks, so that a box
# fetches only those that it does not have.
# Reads SV_WORK, SV_COMPATIBLE, SV_VERSION, SV_SIGNER_KEY, SV_SIGNER_CERT, SV_INTERMEDIATE, SV_KEYRING; writes SV_BUNDLE.
set -euo pipefail

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
    rauc bundle --cert="${SV_SIGNER_CERT}" --key="${SV_SIGNER_KEY}" --intermediate="${SV_INTERMEDIATE}" \
        --mksquashfs-args='-comp zstd -Xcompression-level 3 -noD -noF -no-progress' "${content}" "${SV_BUNDLE}"
    rm --recursive --force "${content}"
    verify
}

# As a box will, before anybody publishes it: the tool alone checks a purpose that is not that of e-mail by its configuration.
verify() {
    printf '[system]\ncompatible=%s\nbootloader=noop\n[keyring]\npath=%s\ncheck-purpose=codesign\n' \
        "${SV_COMPATIBLE}" "${SV_KEYRING}" >"${SV_WORK}/verify.conf"
    rauc --conf="${SV_WORK}/verify.conf" info "${SV_BUNDLE}"
}

main
