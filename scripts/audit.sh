#!/usr/bin/env bash
# Static checks by programs of their own: bandit over the package, pip-audit over the lock files.
# They live in their own environment under .cache/, since nothing else needs them.
set -euo pipefail
cd "$(dirname "$0")/.."

audit=.cache/audit
if [ ! -x "$audit/bin/bandit" ] || [ ! -x "$audit/bin/pip-audit" ]; then
    "$(scripts/python.sh)" -m venv "$audit"
    "$audit/bin/python" -m pip install --quiet --disable-pip-version-check bandit pip-audit
fi

echo 'bandit: sloagent/'
"$audit/bin/bandit" --quiet --configfile pyproject.toml --recursive sloagent
for lock in requirements/*.lock; do
    # A package that the service does not know is neither a finding nor cleared: pip-audit names each.
    echo "pip-audit: $lock"
    "$audit/bin/pip-audit" --progress-spinner off --disable-pip --require-hashes --requirement "$lock"
done
