#!/bin/sh
# Puts the implementations that test/peers holds ours against into build/peers and build/peers-kafka. Does nothing when
# they are there.
set -eu

# Installs Debian packages where this is root; says which otherwise.
need() {
    command=$1
    shift
    if sh -c "$command" >/dev/null 2>&1; then
        return
    fi
    if [ "$(id --user)" != 0 ]; then
        echo "The peers need more of Debian: install $*." >&2
        exit 1
    fi
    apt-get install --yes --no-install-recommends "$@"
}

prepare_flute() {
    directory=build/peers
    wanted=test/peers/requirements.txt
    if cmp --silent "$wanted" "$directory/installed.txt"; then
        return
    fi
    rm --recursive --force "$directory"
    need "python3 -c 'import ensurepip, venv'" python3-venv
    python3 -m venv "$directory"
    if ! "$directory/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$wanted"; then
        echo 'The peers come ready-made for the Python 3.11 of Debian 12 on x86-64; is this one, and is the package index in reach?' >&2
        exit 1
    fi
    cp "$wanted" "$directory/installed.txt"
}

prepare_kafka() {
    directory=build/peers-kafka
    wanted=test/peers/kafka/pom.xml
    if cmp --silent "$wanted" "$directory/installed.xml"; then
        return
    fi
    rm --recursive --force "$directory"
    need 'command -v java && command -v mvn' default-jre-headless maven
    mkdir --parents "$directory"
    if ! mvn --quiet --batch-mode --file "$wanted" dependency:copy-dependencies "-DoutputDirectory=$PWD/$directory/jars"; then
        echo 'Kafka comes from Maven Central: is it in reach?' >&2
        exit 1
    fi
    cp "$wanted" "$directory/installed.xml"
}

prepare_flute
prepare_kafka
