#!/usr/bin/env bash
# Usage: scripts/lock.sh VENV
# Resolve pyproject.toml for every platform and write the lock files. They name versions and hashes, never an index.
set -euo pipefail
venv=$1
[[ -x $venv/bin/uv ]] || "$venv/bin/python" -m pip --quiet install uv

compile() {
    local out=$1 new
    shift
    new=$(mktemp)
    "$venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@" --output-file "$new"
    { echo "# Written by \`make lock\` from pyproject.toml: exact versions with hashes."; cat "$new"; } >"$out"
    rm -f "$new"
}

compile requirements.lock pyproject.toml --group setup
compile requirements-azure.lock pyproject.toml --group setup --extra azure --constraint requirements.lock
compile requirements-dev.lock pyproject.toml --group setup --extra dev --extra bench --constraint requirements.lock
compile requirements-serve.lock pyproject.toml --group setup --extra serve --constraint requirements-dev.lock
