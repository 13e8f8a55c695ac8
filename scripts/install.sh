#!/usr/bin/env bash
# Usage: scripts/install.sh VENV LOCK
# Install a lock file, with its hashes, and the toolkit itself (editable) into a virtual environment.
set -euo pipefail
venv=$1 lock=$2
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)

# uv takes a second where pip takes ten. It does not read pip's configuration, so where it cannot reach the package
# index pip does the same work from the same lock.
install() {
    if [[ -x $venv/bin/uv ]] && "$venv/bin/uv" pip install --quiet --python "$venv" "$@"; then
        return
    fi
    "${pip[@]}" install "$@"
}

if [[ ! -x $venv/bin/uv ]]; then
    "${pip[@]}" install --no-deps "$(grep -oE '^uv==[0-9.]+' requirements.lock)" || echo "uv is not available; pip installs the lock" >&2
fi
install --require-hashes --requirement "$lock"
install --no-deps --no-build-isolation --editable .
