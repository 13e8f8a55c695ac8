"""The file of the key: 64 hexadecimal digits that only their owner reads, outside of every repository."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from toolkit.deploy.record.key import Key, RecordKeyError

_TEXT = re.compile(r"[0-9A-Fa-f]{64}")
_HOW = "`openssl rand -hex 32` writes such a key"


def key_of_text(text: str, source: str) -> Key:
    """The key that a text says. `source` names where it comes from, in errors; the text is never shown."""
    if not _TEXT.fullmatch(text.strip()):
        raise RecordKeyError(f"{source}: expected 64 hexadecimal digits, found {len(text.strip())} other characters. {_HOW}.")
    return Key(bytes.fromhex(text.strip()))


def read_key(path: Path) -> Key:
    """The key in a file. RecordKeyError for one that is not there, that others can read, or that lies in a repository."""
    _outside(path)
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        raise RecordKeyError(f"{path}: expected a file with a key, found none. {_HOW}; then `chmod 600`.") from None
    except (OSError, UnicodeDecodeError):
        raise RecordKeyError(f"{path}: expected a file with 64 hexadecimal digits; it cannot be read as one.") from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RecordKeyError(f"{path}: expected a file that only its owner can read, found mode {mode & 0o777:o}. `chmod 600` it.")
    return key_of_text(text, str(path))


def create_key(path: Path) -> Key:
    """Writes a new random key to a file that is not there yet, mode 0600."""
    _outside(path)
    text = secrets.token_hex(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise RecordKeyError(f"{path}: a new key cannot be written: {error.strerror}.") from None
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        stream.write(text + "\n")
    return key_of_text(text, str(path))


def _outside(path: Path) -> None:
    for folder in path.absolute().resolve().parents:
        if (folder / ".git").exists() or (folder / "toolkit.yaml").exists():
            raise RecordKeyError(
                f"{path}: expected a file outside of every repository, found one in {folder}. Whoever has the key can test guesses."
            )
