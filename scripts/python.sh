#!/usr/bin/env bash
# Prints the Python to use: $PYTHON if set, else the first on PATH that is 3.11 to 3.13 and can make a virtual environment.
# Exits 1 without a word when there is none; scripts/setup.sh then installs one or says what is missing.
set -u

suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1
}

for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 /usr/bin/python3}; do
    if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
        command -v "$candidate"
        exit 0
    fi
done
exit 1
