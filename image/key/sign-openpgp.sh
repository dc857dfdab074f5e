#!/usr/bin/env bash
# Wraps an RSA key and its signatures in OpenPGP packets (RFC 4880), which is what GRUB verifies: where Secure Boot is on it starts
# nothing that it has not checked itself.
# Usage: sign-openpgp.sh public-key CERTIFICATE, or: sign-openpgp.sh sign KEY CERTIFICATE FILE. Writes to its standard output.
set -euo pipefail

readonly version=04 algorithm_rsa=01 hash_sha256=08 type_binary=00
# When a key was made is a part of its name; the certificate holds the true time.
readonly key_time=00000000

hex() { od --address-radix=n --format=x1 --output-duplicates | tr --delete ' \n'; }
bytes() { printf '%b' "$(sed 's/../\\x&/g')"; }
number() { printf "%0${1}x" "$2"; }

# A number of any size: how many bits it has, and its bytes without leading zeros.
mpi() {
    local digits=$1 first
    while [[ ${digits} == 00* ]]; do digits=${digits#00}; done
    first=$((16#${digits:0:2}))
    local bits=$((${#digits} * 4 - 8))
    while [ "${first}" -gt 0 ]; do
        bits=$((bits + 1))
        first=$((first / 2))
    done
    printf '%s%s' "$(number 4 "${bits}")" "${digits}"
}

# packet TAG BODY: in the old format, with a length of two bytes.
packet() { printf '%s%s%s' "$(number 2 $((0x80 | $1 << 2 | 1)))" "$(number 4 $((${#2} / 2)))" "$2"; }

public_key_body() {
    local modulus exponent
    modulus=$(openssl x509 -in "$1" -noout -modulus)
    exponent=$(openssl x509 -in "$1" -noout -text | sed --quiet 's/.*Exponent: [0-9]* (0x\([0-9a-f]*\)).*/\1/p')
    [ $((${#exponent} % 2)) = 0 ] || exponent=0${exponent}
    modulus=${modulus#Modulus=}
    printf '%s%s%s%s%s' "${version}" "${key_time}" "${algorithm_rsa}" "$(mpi "${modulus,,}")" "$(mpi "${exponent}")"
}

key_id() {
    local body fingerprint
    body=$(public_key_body "$1")
    fingerprint=$(printf '99%s%s' "$(number 4 $((${#body} / 2)))" "${body}" | bytes | sha1sum)
    printf '%s' "${fingerprint:24:16}"
}

# rsa DIGEST-OF: by openssl, whether the key lies in a file or behind a PKCS#11 URI.
rsa() {
    local place=()
    [[ $1 != pkcs11:* ]] || place=(-engine pkcs11 -keyform engine)
    openssl dgst -sha256 "${place[@]}" -sign "$1"
}

sign() {
    local key=$1 certificate=$2 file=$3 hashed trailer digest signature unhashed
    hashed=${version}${type_binary}${algorithm_rsa}${hash_sha256}00060502$(number 8 "${SOURCE_DATE_EPOCH}")
    trailer=${hashed}${version}ff$(number 8 $((${#hashed} / 2)))
    unhashed=0910$(key_id "${certificate}")
    digest=$({ cat "${file}" && bytes <<<"${trailer}"; } | sha256sum)
    signature=$({ cat "${file}" && bytes <<<"${trailer}"; } | rsa "${key}" | hex)
    packet 2 "${hashed}$(number 4 $((${#unhashed} / 2)))${unhashed}${digest:0:4}$(mpi "${signature}")" | bytes
}

case ${1:-} in
public-key) packet 6 "$(public_key_body "$2")" | bytes ;;
sign) sign "$2" "$3" "$4" ;;
*) exit 2 ;;
esac
