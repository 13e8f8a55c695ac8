"""`python -m scripts.recorded_logs` writes the recorded logs; with `--check` it only reports which committed files differ (exit code 1)."""

from __future__ import annotations

import sys

from scripts.recorded_logs.recordings import files


def main(arguments: list[str]) -> int:
    """Write or compare; returns the exit code."""
    check = arguments == ["--check"]
    stale = []
    for path, text in files().items():
        data = text.encode("utf-8")
        if path.exists() and path.read_bytes() == data:
            continue
        stale.append(path)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    for path in stale:
        print(f"{'differs' if check else 'written'}: {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
