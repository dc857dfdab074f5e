#!/usr/bin/env bash
# Signs an EFI program for Secure Boot, with a key in a file or behind a PKCS#11 URI.
# Usage: sign-efi.sh KEY CERTIFICATE FROM TO
set -euo pipefail

# In the signature; a clock that stands still, because a busy machine takes seconds to get there.
commit_time=$(date --date "@${SOURCE_DATE_EPOCH}" '+%Y-%m-%d %H:%M:%S')
readonly commit_time
readonly key=$1 certificate=$2 from=$3 to=$4

place=()
[[ ${key} != pkcs11:* ]] || place=(--engine pkcs11)
faketime --exclude-monotonic -f "${commit_time}" \
    sbsign "${place[@]}" --key "${key}" --cert "${certificate}" --output "${to}" "${from}"
