"""Names of new files that clash with nothing, and writing them without ever overwriting one."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolkit.kql.diagnostics import ToolkitError

_LONGEST = 80
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")
"""Names that Windows does not take, whatever the suffix."""


class WriteError(ToolkitError):
    """A file that is not written; nothing that was there is changed."""


@dataclass
class Stems:
    """Hands out file names without suffix; `taken` holds those in use, in lower case: many file systems do not tell case apart."""

    taken: set[str] = field(default_factory=set)

    def new(self, wanted: str, identity: str) -> str:
        """`wanted` where that is free, else with the beginning of the resource's own name behind it."""
        tail = slug(identity, "")
        for stem in (wanted, f"{wanted}-{tail[:8]}", f"{wanted}-{tail}"):
            if stem.lower() not in self.taken and not _RESERVED.fullmatch(stem.lower()):
                break
        else:
            number = next(number for number in range(2, len(self.taken) + 3) if f"{wanted}-{tail}-{number}".lower() not in self.taken)
            stem = f"{wanted}-{tail}-{number}"
        self.taken.add(stem.lower())
        return stem


def slug(name: str, otherwise: str) -> str:
    """Lower-case words of a shown name, joined by dashes; `otherwise` for a name without Latin letters or digits."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(words) > _LONGEST:
        words = words[: _LONGEST + 1].rpartition("-")[0] or words[:_LONGEST]
    return words or otherwise


def write_new(files: Mapping[Path, str]) -> None:
    """Writes new files (UTF-8, line ends as they are), with their folders. Raises WriteError before the first when one exists already."""
    for path in files:
        if path.exists() or path.is_symlink():
            raise WriteError(f"{path} exists already and is not overwritten. Move it away, or name another folder.")
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="") as file:
                file.write(text)
        except OSError as error:
            raise WriteError(f"{path} cannot be written: {error.strerror or error}.") from error


def write_changed(path: Path, old: str, new: str) -> None:
    """Writes the new text of a file that was read as `old`; a byte order mark stays. Raises WriteError when it is another file by now.

    The file is replaced in one step: it is never half written.
    """
    mark = "\ufeff"
    beside = path.with_name(f".{path.name}.new")
    try:
        there = path.read_bytes().decode()
        if there.removeprefix(mark) != old.removeprefix(mark):
            raise WriteError(f"{path} was changed while the workspace was read. Nothing is written; run again.")
        text = (mark if there.startswith(mark) else "") + new.removeprefix(mark)
        beside.write_bytes(text.encode())
        shutil.copymode(path, beside)
        beside.replace(path)
    except (OSError, UnicodeError) as error:
        beside.unlink(missing_ok=True)
        raise WriteError(f"{path} cannot be written: {getattr(error, 'strerror', None) or error}.") from error
