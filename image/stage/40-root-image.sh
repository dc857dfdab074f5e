#!/usr/bin/env bash
# The root file system: EROFS, then its hash tree (dm-verity) behind it, in one file.
# Reads SV_ROOT, SV_SLOT_BYTES; writes SV_WORK/rootfs.img, root-hash, hash-offset.
set -euo pipefail

# Fixed, so that two builds give the same bytes; a salt only guards secrets, and this holds none.
readonly uuid=5356524f-4f54-4000-8000-000000000001
readonly verity_uuid=5356524f-4f54-4000-8000-000000000002
readonly salt=0000000000000000000000000000000000000000000000000000000000000000
# Blocks compress together up to so many bytes; beyond it updates grow faster than images shrink.
readonly cluster_bytes=65536

# The image holds files in the order of their paths. What changes most comes last, so that a change of its length moves nothing.
put_software_last() {
    local last
    mv "${SV_ROOT}/usr/lib/streamverse" "${SV_ROOT}/usr/streamverse"
    ln --symbolic ../streamverse "${SV_ROOT}/usr/lib/streamverse"
    last=$(find "${SV_ROOT}" -type f -size +0 -printf '%P\n' | LC_ALL=C sort | tail --lines 1)
    [[ ${last} == usr/streamverse/* ]]
}

main() {
    local image=${SV_WORK}/rootfs.img offset
    put_software_last
    rm --force "${image}"
    # mkfs.erofs takes only what is newer back to -T. What Debian's setup wrote bears the commit of whoever made the tarball.
    find "${SV_ROOT}" -exec touch --no-dereference --date "@${SOURCE_DATE_EPOCH}" {} +
    mkfs.erofs -zlz4hc,12 -C"${cluster_bytes}" -T"${SOURCE_DATE_EPOCH}" -U"${uuid}" "${image}" "${SV_ROOT}"
    offset=$(stat --format %s "${image}")
    veritysetup format "${image}" "${image}" --hash-offset="${offset}" --salt="${salt}" --uuid="${verity_uuid}" |
        awk '/^Root hash:/ {print $3}' >"${SV_WORK}/root-hash"
    printf '%s\n' "${offset}" >"${SV_WORK}/hash-offset"
    [ -s "${SV_WORK}/root-hash" ]
    if [ "$(stat --format %s "${image}")" -gt "${SV_SLOT_BYTES}" ]; then
        echo "the root file system is larger than its slot of ${SV_SLOT_BYTES} bytes" >&2
        exit 1
    fi
}

main
