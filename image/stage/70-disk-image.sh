#!/usr/bin/env bash
# The disk: GPT, ESP, three boot slots and three root slots (A, B, and R of the factory), and data, whose file system the
# box makes when it first boots, because only then its size is known.
# Reads SV_PARTITIONS (label type megabytes content a line), SV_WORK; writes SV_DISK and its block map.
set -euo pipefail

readonly sector_bytes=512
readonly disk_guid=53564544-4745-4000-8000-000000000000

first_sector() { sgdisk --info "$1" "${SV_DISK}.part" | awk '/^First sector:/ {print $3}'; }

main() {
    local number=0 label type megabytes content total=2 arguments=(--clear --disk-guid "${disk_guid}")
    while read -r label type megabytes content; do
        number=$((number + 1))
        total=$((total + megabytes))
        arguments+=(--new "${number}:0:+${megabytes}M" --typecode "${number}:${type}" --change-name "${number}:${label}")
        arguments+=(--partition-guid "${number}:53564544-4745-4000-8000-00000000000${number}")
    done <<<"${SV_PARTITIONS}"
    rm --force "${SV_DISK}.part"
    truncate --size "${total}M" "${SV_DISK}.part"
    sgdisk "${arguments[@]}" "${SV_DISK}.part" >/dev/null
    # Zeros of a file system are content: on a used disk a hole would leave what was there before.
    number=0
    while read -r label type megabytes content; do
        number=$((number + 1))
        [ "${content}" = - ] || dd if="${SV_WORK}/${content}" of="${SV_DISK}.part" bs="${sector_bytes}" \
            seek="$(first_sector "${number}")" conv=notrunc status=none
    done <<<"${SV_PARTITIONS}"
    mv "${SV_DISK}.part" "${SV_DISK}"
    bmaptool --quiet create --output "${SV_DISK}.bmap" "${SV_DISK}"
}

main
