#!/usr/bin/env bash
# Writes requirements/*.lock from pyproject.toml: every package pinned, with the hashes of all its distribution files,
# so that one file serves Python 3.11 to 3.13 on x86_64 and aarch64 Linux. Names, versions and hashes; no addresses.
#
#   make lock                        keep the pinned versions, add or drop what pyproject.toml asks for
#   make lock UPGRADE=--upgrade      take the newest versions
#   make lock UPGRADE='--upgrade-package click'
#
# The resolver (uv) lives in its own environment under .cache/, since nothing else needs it.
set -euo pipefail
cd "$(dirname "$0")/.."

resolver=.cache/lock
if [ ! -x "$resolver/bin/uv" ]; then
    "$(scripts/python.sh)" -m venv "$resolver"
    "$resolver/bin/python" -m pip install --quiet --disable-pip-version-check uv
fi

# shellcheck disable=SC2206  # UPGRADE is a list of options
upgrade=(${UPGRADE:-})

compile() { # NAME, then what it is made of
    local name=$1
    shift
    local header="# $name: made by scripts/lock.sh from pyproject.toml. Install: pip install --require-hashes -r requirements/$name.lock"
    "$resolver/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-index-url --no-emit-find-links "$@" --output-file "requirements/$name.lock"
    sed -i "1i $header" "requirements/$name.lock"
}

mkdir -p requirements
# The first holds everything; the others are cut from it, so that no package has two versions.
compile dev pyproject.toml --all-extras --group build --group dev "${upgrade[@]}"
compile runtime pyproject.toml --constraints requirements/dev.lock
compile kubernetes pyproject.toml --extra kubernetes --constraints requirements/dev.lock
compile postgres pyproject.toml --extra postgres --constraints requirements/dev.lock
compile report pyproject.toml --extra report --constraints requirements/dev.lock
compile build --group build --constraints requirements/dev.lock
# By itself, since it has no wheel for every machine that .venv is made on; `make fuzz` alone wants it.
compile fuzz --group fuzz "${upgrade[@]}"
