#!/usr/bin/env bash
# The keys of a development fleet, in the shape that an operator's have: an offline root; below it an intermediate for
# development and one for releases, each with a signer for code; and the keys of Secure Boot. Nothing that is there is made
# anew. Usage: make-keys.sh DIRECTORY
set -euo pipefail
umask 077

readonly directory=$1
readonly root_days=7300 intermediate_days=3650 signer_days=1825
readonly organisation=StreamVerse

authority_extensions() { printf 'basicConstraints=critical,CA:TRUE%s\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n' "$1"; }
signer_extensions() {
    printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,codeSigning\n'
    printf 'subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n'
}

self_signed() {
    local name=$1
    [ -e "${name}.pem" ] && return
    openssl req -x509 -new -newkey rsa:3072 -noenc -days "${root_days}" -subj "/O=${organisation}/CN=${name}" \
        -keyout "${name}.key" -out "${name}.pem.new" -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
    mv "${name}.pem.new" "${name}.pem"
}

# issued NAME ISSUER DAYS EXTENSIONS
issued() {
    local name=$1 issuer=$2 days=$3 extensions=$4
    [ -e "${name}.pem" ] && return
    openssl req -new -newkey rsa:3072 -noenc -subj "/O=${organisation}/CN=${name}" -keyout "${name}.key" -out "${name}.csr" 2>/dev/null
    openssl x509 -req -in "${name}.csr" -CA "${issuer}.pem" -CAkey "${issuer}.key" -CAcreateserial -days "${days}" \
        -extfile <(printf '%s\n' "${extensions}") -out "${name}.pem.new" 2>/dev/null
    rm "${name}.csr"
    mv "${name}.pem.new" "${name}.pem"
}

# Secure Boot takes any certificate as a key; RSA 2048 is what every firmware knows.
boot_key() {
    local name=$1
    [ -e "${name}.pem" ] && return
    openssl req -x509 -new -newkey rsa:2048 -noenc -days "${root_days}" -subj "/O=${organisation}/CN=secure-boot-${name}" \
        -keyout "${name}.key" -out "${name}.pem.new" 2>/dev/null
    mv "${name}.pem.new" "${name}.pem"
}

main() {
    mkdir --parents "${directory}"
    cd "${directory}"
    # Two first builds at once would each sign with keys that the other replaces.
    local lock
    exec {lock}<.
    flock "${lock}"
    self_signed bundle-root
    local stage
    for stage in development release; do
        issued "${stage}-ca" bundle-root "${intermediate_days}" "$(authority_extensions ',pathlen:0')"
        issued "${stage}-signer" "${stage}-ca" "${signer_days}" "$(signer_extensions)"
    done
    # A development image trusts the root, hence both; a release image has the release chain alone. RAUC takes an
    # intermediate as the end of a chain (X509_V_FLAG_PARTIAL_CHAIN).
    cat bundle-root.pem >keyring-development.pem
    cat release-ca.pem >keyring-release.pem
    local name
    for name in PK KEK db; do
        boot_key "${name}"
    done
}

main
