#!/usr/bin/env bash
# Usage: scripts/install.sh VENV LOCK
# Install a lock file, with its hashes, and the toolkit itself (editable) into a virtual environment.
set -euo pipefail
venv=$1 lock=$2
export PIP_DISABLE_PIP_VERSION_CHECK=1
with_pip=("$venv/bin/python" -m pip install --quiet)
with_uv=("$venv/bin/uv" pip install --quiet --python "$venv")

if [[ ! -x $venv/bin/uv ]]; then
    "${with_pip[@]}" --no-deps "$(grep -oE '^uv==[0-9.]+' requirements.lock)" || true
fi

# uv takes a second where pip takes ten. It does not read pip's configuration files; where it cannot reach the package
# index, pip does the same work from the same lock.
install=("${with_uv[@]}")
if ! "${install[@]}" --require-hashes --requirement "$lock"; then
    echo "uv could not install $lock; pip does it instead, which takes longer" >&2
    install=("${with_pip[@]}")
    "${install[@]}" --require-hashes --requirement "$lock"
fi
"${install[@]}" --no-deps --no-build-isolation --editable .
