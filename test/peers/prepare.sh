#!/bin/sh
# Puts the implementations that test/peers holds ours against into build/peers. Does nothing when they are there.
set -eu

directory=build/peers
wanted=test/peers/requirements.txt

if cmp --silent "$wanted" "$directory/installed.txt"; then
    exit 0
fi
rm --recursive --force "$directory"
if ! python3 -c 'import ensurepip, venv'; then
    if [ "$(id --user)" != 0 ]; then
        echo 'The peers need Python with venv: install the package python3-venv.' >&2
        exit 1
    fi
    apt-get install --yes --no-install-recommends python3-venv
fi
python3 -m venv "$directory"
if ! "$directory/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$wanted"; then
    echo 'The peers come ready-made for the Python 3.11 of Debian 12 on x86-64; is this one, and is the package index in reach?' >&2
    exit 1
fi
cp "$wanted" "$directory/installed.txt"
