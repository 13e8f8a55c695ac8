"""Promises about the repository as a whole: what may be imported, what a file may say, what a wheel holds."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from scripts.size_gate import measure, project_files

# Everything of toolkit.kql, on a Python that finds the standard library and nothing else.
IMPORT_THE_LANGUAGE = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import toolkit.kql
for module in pkgutil.walk_packages(toolkit.kql.__path__, "toolkit.kql."):
    importlib.import_module(module.name)
loaded = sorted(name for name in sys.modules if name.startswith("toolkit.") and not name.startswith("toolkit.kql"))
assert not loaded, f"toolkit.kql imports {loaded}"
"""

# Written in pieces, so that this file does not contain them.
HOSTS = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "crates" + ".io", "nuget" + ".org", "conda" + "-forge"]
MACHINE_PATHS = ["(?<![\\w.])/wor" + "k/", "/tmp/" + "bash_jobs", "/opt/" + "wheels"]
FORBIDDEN = re.compile("|".join([*(re.escape(host) for host in HOSTS), *MACHINE_PATHS]))


def test_the_language_needs_only_the_standard_library(root: Path) -> None:
    arguments = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_THE_LANGUAGE, str(root)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_no_file_names_a_package_registry_or_a_place_on_one_machine(root: Path) -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name in project_files(root)
        for number, line in enumerate((root / name).read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (match := FORBIDDEN.search(line))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-azure.lock", "requirements-dev.lock"])
def test_a_lock_holds_exact_versions_with_hashes_and_no_address(root: Path, name: str) -> None:
    text = re.sub(r"\\\n", " ", (root / name).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    wrong = [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!+-]+(?: *;[^\\]*?)?(?: +--hash=sha256:[0-9a-f]{64})+ *", line)]
    assert lines
    assert not wrong, "\n".join(wrong)


def test_the_lock_has_every_dependency(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    for name, wanted in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-azure.lock", [*project["dependencies"], *optional["azure"]]),
        ("requirements-dev.lock", [*project["dependencies"], *optional["dev"], *optional["bench"]]),
    ):
        locked = set(re.findall(r"^([\w.-]+)==", (root / name).read_text(encoding="utf-8"), re.MULTILINE))
        missing = {re.split(r"[^\w.-]", each, maxsplit=1)[0].lower() for each in wanted} - locked
        assert not missing, f"{name} lacks {sorted(missing)}: run `make lock`"


def test_the_wheel_holds_every_file_of_the_package(root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)],
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    packed = set(zipfile.ZipFile(wheel).namelist())
    missing = [name for name in project_files(root) if name.startswith("toolkit/") and name not in packed]
    assert "toolkit/py.typed" in packed
    assert not missing


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x = 1\n" * 600, []),
        ("x = 1\n" * 601, [("f.py", 1, 601)]),
        ("def f(a, b, c, d, e, g): ...\n", []),
        ("def f(a, b, c, d, *e, g, **h): ...\n", [("f.py::f", 1, 7)]),
        ("class C:\n    def f(self, a, b, c, d, e, g): ...\n", []),
        ("class C:\n    async def f(cls, a, b, c, d, e, g, h): ...\n", [("f.py::C.f", 2, 7)]),
        ("def f():\n" + "    x = 1\n" * 79, []),
        ("@d\ndef f():\n" + "    x = 1\n" * 79, [("f.py::f", 2, 81)]),
        ("if x:\n    def f():\n        def g(a, b, c, d, e, h, i): ...\n", [("f.py::f.g", 3, 7)]),
    ],
)
def test_the_size_gate(text: str, found: list[tuple[str, int, int]]) -> None:
    assert [(excess.name, excess.line, excess.found) for excess in measure("f.py", text)] == found
