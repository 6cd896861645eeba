#!/usr/bin/env bash
# Makes the machine ready for `make demo` or `make test`: Python, the programs of scripts/programs.txt, and .venv from
# requirements/dev.lock with the project in it. Does nothing, quickly, where all of it is there. Usage: setup.sh demo|test
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:?"usage: scripts/setup.sh demo|test"}
stamp=.venv/.ready

say() { printf 'setup: %s\n' "$*" >&2; }

# --- Python and the programs --------------------------------------------------------------------------------------
if ! python=$(scripts/python.sh); then
    if [ -n "${PYTHON:-}" ]; then
        say "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip."
        exit 1
    fi
    scripts/packages.sh "$purpose" python
    python=$(scripts/python.sh) || {
        say "no Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip on PATH, and none came with the packages."
        exit 1
    }
fi
scripts/packages.sh "$purpose"

# --- The virtual environment --------------------------------------------------------------------------------------
wanted="$(cat requirements/dev.lock pyproject.toml scripts/setup.sh | sha256sum | cut -d ' ' -f 1) $PWD"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && .venv/bin/python -c '' 2>/dev/null; then
    exit 0
fi
rm -f "$stamp"
if ! PYTHON="$PWD/.venv/bin/python" scripts/python.sh >/dev/null || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    rm -rf .venv
    "$python" -m venv .venv
fi
say "installing the locked packages into .venv with $(.venv/bin/python --version) (once, about half a minute)"
pip=(.venv/bin/python -m pip install --quiet --quiet --no-input --disable-pip-version-check)
"${pip[@]}" --require-hashes --requirement requirements/dev.lock
"${pip[@]}" --no-deps --no-build-isolation --editable .
printf '%s' "$wanted" >"$stamp"
