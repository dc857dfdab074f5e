#!/usr/bin/env bash
# The EFI system partition: GRUB with its script inside the signed image, and the environment in two copies.
# Reads SV_IMAGE, SV_WORK, SV_GRUB_MODULES_DIRECTORY, SV_GRUB_FORMAT, SV_EFI_NAME, SV_DB_KEY, SV_DB_CERT; writes SV_WORK/esp.img.
set -euo pipefail

readonly volume_id=53560002
readonly modules=(
    part_gpt fat tar memdisk normal configfile loadenv test true echo regexp serial terminal sleep reboot chain datehook
    pgp gcry_rsa gcry_sha1 gcry_sha256
)

# With a key inside, GRUB reads nothing that is not signed by it, but for the environment. Under Secure Boot, and without shim, it
# wants such a key: else it refuses to load what only the firmware would check.
# early.cfg, which knows no comments, runs from the signed image itself: there alone `root` is the partition that the firmware
# loaded it from.
make_grub() {
    local tree=${SV_WORK}/memdisk
    rm --recursive --force "${tree}"
    mkdir --parents "${tree}/boot/grub"
    cp "${SV_IMAGE}/boot/grub.cfg" "${tree}/boot/grub/grub.cfg"
    tar --create --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@${SOURCE_DATE_EPOCH}" \
        --directory "${tree}" --file "${SV_WORK}/memdisk.tar" boot
    "${SV_IMAGE}/key/sign-openpgp.sh" public-key "${SV_DB_CERT}" >"${SV_WORK}/db.pgp"
    grub-mkimage --directory "${SV_GRUB_MODULES_DIRECTORY}" --format "${SV_GRUB_FORMAT}" --output "${SV_WORK}/grub.efi" \
        --memdisk "${SV_WORK}/memdisk.tar" --config "${SV_IMAGE}/boot/early.cfg" --prefix /EFI/BOOT \
        --disable-shim-lock --pubkey "${SV_WORK}/db.pgp" "${modules[@]}"
    "${SV_IMAGE}/key/sign-efi.sh" "${SV_DB_KEY}" "${SV_DB_CERT}" "${SV_WORK}/grub.efi" "${SV_WORK}/${SV_EFI_NAME}"
}

# Slot A holds the image, B nothing yet.
make_environment() {
    rm --force "${SV_WORK}/grubenv"
    grub-editenv "${SV_WORK}/grubenv" create
    grub-editenv "${SV_WORK}/grubenv" set ORDER='A B' A_OK=1 A_TRY=0 B_OK=0 B_TRY=0 R_OK=0 R_TRY=0
}

main() {
    local image=${SV_WORK}/esp.img
    make_grub
    make_environment
    touch --date "@${SOURCE_DATE_EPOCH}" "${SV_WORK}/${SV_EFI_NAME}" "${SV_WORK}/grubenv"
    rm --force "${image}"
    truncate --size "${SV_ESP_BYTES}" "${image}"
    mkfs.vfat --invariant -n ESP -i "${volume_id}" "${image}"
    export MTOOLS_SKIP_CHECK=1
    mmd -i "${image}" ::/EFI ::/EFI/BOOT ::/EFI/streamverse
    mcopy -m -i "${image}" "${SV_WORK}/${SV_EFI_NAME}" "::/EFI/BOOT/${SV_EFI_NAME}"
    mcopy -m -i "${image}" "${SV_WORK}/grubenv" ::/EFI/streamverse/grubenv
    mcopy -m -i "${image}" "${SV_WORK}/grubenv" ::/EFI/streamverse/grubenv.second
}

main
