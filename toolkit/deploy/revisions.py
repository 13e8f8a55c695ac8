"""An earlier revision of a project, as git has it: what `toolkit rollback` deploys.

git is asked with fixed commands; a revision is data, never an option or a part of a shell's line.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolkit.content.project import PROJECT_FILE, Project
from toolkit.kql.diagnostics import ToolkitError

_TIME_LIMIT = 120


class RevisionError(ToolkitError):
    """A revision that cannot be had: no repository, no such revision, no project in it."""


class NoGitError(ToolkitError):
    """git is not there, or does not answer."""


@dataclass(frozen=True)
class Revision:
    """A commit. `when` is its date as git writes it."""

    commit: str
    when: str
    subject: str

    def __str__(self) -> str:
        return f"{self.commit[:12]} ({self.when}, {self.subject})"


def find_revision(root: Path, name: str) -> Revision:
    """The commit that a branch, a tag, a short or whole hash or `HEAD~1` names. Raises RevisionError."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", what=f"the revision {name!r}")
    shown = _git(root, "show", "--no-patch", "--format=%H%n%cs%n%s", commit.strip(), what=f"the revision {name!r}")
    found, when, subject, *_ = [*shown.split("\n"), "", "", ""]
    return Revision(found, when, subject)


@contextmanager
def project_at(root: Path, revision: Revision) -> Iterator[Project]:
    """The project of a revision in a folder of its own, which is gone afterwards. Raises RevisionError and ContentError."""
    archive = _git_bytes(root, "archive", "--format=tar", revision.commit, "--", ".", what=f"the files of {revision.commit[:12]}")
    folder = Path(tempfile.mkdtemp(prefix="toolkit-revision-"))
    try:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        if not (folder / PROJECT_FILE).is_file():
            raise RevisionError(f"{revision}: there was no {PROJECT_FILE} in this folder then.")
        yield Project.load(folder, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _git(root: Path, *arguments: str, what: str) -> str:
    return _git_bytes(root, *arguments, what=what).decode("utf-8", "replace").rstrip("\n")


def _git_bytes(root: Path, *arguments: str, what: str) -> bytes:
    try:
        command = ["git", "-C", str(root), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, timeout=_TIME_LIMIT, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        raise NoGitError("A rollback needs git, which is not installed.") from None
    except subprocess.TimeoutExpired:
        raise NoGitError(f"git did not give {what} in {_TIME_LIMIT} s.") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0]
        raise RevisionError(f"git does not have {what}{f': {said}' if said else '.'}")
    return done.stdout
