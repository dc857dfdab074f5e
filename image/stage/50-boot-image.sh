#!/usr/bin/env bash
# The kernel, its initrd and its command line, which names the root hash, as one signed EFI program (UAPI.5 unified kernel
# image), in a FAT that a boot slot holds. Who controls the signature controls every byte that the box runs. GRUB wants one of its
# own kind beside it.
# Reads SV_IMAGE, SV_WORK, SV_STUB, SV_SECTIONS (objcopy's arguments), SV_BOOT_BYTES, SV_DB_KEY, SV_DB_CERT; writes SV_WORK/boot.img.
set -euo pipefail

readonly volume_id=53560001
# In the PE header; a clock that stands still, because a busy machine takes seconds to get there.
commit_time=$(date --date "@${SOURCE_DATE_EPOCH}" '+%Y-%m-%d %H:%M:%S')
readonly commit_time
# Sections begin at whole blocks of an update, so that one that grows leaves those of the next what they were.
readonly block_bytes=4096

main() {
    # One argument a word, on purpose.
    # shellcheck disable=SC2086
    faketime --exclude-monotonic -f "${commit_time}" "${SV_OBJCOPY}" --file-alignment "${block_bytes}" ${SV_SECTIONS} \
        "${SV_STUB}" "${SV_WORK}/kernel.efi"
    "${SV_IMAGE}/key/sign-efi.sh" "${SV_DB_KEY}" "${SV_DB_CERT}" "${SV_WORK}/kernel.efi" "${SV_WORK}/streamverse.efi"
    "${SV_IMAGE}/key/sign-openpgp.sh" sign "${SV_DB_KEY}" "${SV_DB_CERT}" "${SV_WORK}/streamverse.efi" >"${SV_WORK}/streamverse.efi.sig"
    rm --force "${SV_WORK}/boot.img"
    truncate --size "${SV_BOOT_BYTES}" "${SV_WORK}/boot.img"
    mkfs.vfat --invariant -n BOOT -i "${volume_id}" "${SV_WORK}/boot.img"
    touch --date "@${SOURCE_DATE_EPOCH}" "${SV_WORK}/streamverse.efi" "${SV_WORK}/streamverse.efi.sig"
    mcopy -m -i "${SV_WORK}/boot.img" "${SV_WORK}/streamverse.efi" "${SV_WORK}/streamverse.efi.sig" ::/
}

main
