"""The recorded logs are what their generator writes, state their provenance, and hold nothing that could be real."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path

import pytest

from scripts.recorded_logs.recordings import ROOT, files, recordings

MEGABYTE = 1_000_000
SYSTEMS = sorted({recording.system for recording in recordings()})

_ADDRESS = re.compile(r"(?<![\w.:/-])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])")
_NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "::1/128",
        "0.0.0.0/32",
        "255.255.255.255/32",
    )
]
_GUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)")
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_SECRET = re.compile(
    r"eyJ[A-Za-z0-9_-]{10,}|-----BEGIN|(?:AKIA|ASIA|AIDA|AROA)(?!EXAMPLE)[A-Z0-9]{8,}|password(?!ResetRequired|Recovery| authentication)",
    re.IGNORECASE,
)

# Microsoft's built-in role ids are public constants, the same in every tenant.
_BUILT_IN_ROLES = {
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "acdd72a7-4e5e-48ef-bd42-f606fba81ae7",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
    "0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8",
}


def committed() -> list[Path]:
    return sorted(path for path in ROOT.glob("*/samples/*") if path.is_file())


def by_name(path: Path) -> str:
    return f"{path.parts[-3]}/{path.name}"


def test_committed_files_are_what_the_generator_writes() -> None:
    differing = [by_name(path) for path, text in files().items() if not path.is_file() or path.read_bytes() != text.encode()]
    assert not differing, f"run: python -m scripts.recorded_logs ({', '.join(differing)})"


def test_generator_gives_the_same_bytes_again() -> None:
    assert files() == files()


def test_no_file_is_left_over() -> None:
    assert committed() == sorted(files())


@pytest.mark.parametrize("system", SYSTEMS)
def test_readme_states_the_provenance_of_every_file(system: str) -> None:
    folder = ROOT / system / "samples"
    text = (folder / "README.md").read_text()
    assert "authored and synthetic" in text
    for path in committed():
        if path.parent == folder and path.name != "README.md":
            line = next((line for line in text.splitlines() if line.startswith(f"| `{path.name}` |")), "")
            assert line.count("|") == 6, path.name
            assert all(cell.strip() for cell in line.strip("|").split("|")), path.name


def test_recordings_are_small() -> None:
    assert sum(path.stat().st_size for path in committed()) < 5 * MEGABYTE


@pytest.mark.parametrize("path", [path for path in committed() if path.suffix == ".jsonl"], ids=by_name)
def test_rows_are_of_the_table_that_the_file_is_named_after(path: Path) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows
    assert {row["Type"] for row in rows} == {path.name.split(".")[0]}
    for row in rows:
        if str(row.get("log_s", "")).startswith("{"):
            assert json.loads(row["log_s"])["kind"] == "Event"


@pytest.mark.parametrize("path", committed(), ids=by_name)
def test_nothing_in_it_could_be_real(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig")
    for found in _ADDRESS.findall(text):
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            continue
        assert any(address in network for network in _NETWORKS), f"{found} is not reserved for documentation"
    assert set(_MAIL.findall(text)) <= {"contoso.com"}
    assert set(_ACCOUNT.findall(_GUID.sub("", text))) <= {"123456789012"}
    assert not _SECRET.findall(text)


def test_ids_are_zero_guids_or_derived_by_the_generator() -> None:
    """Version 5 ids come from a hash of invented text; anything else has to be a zero GUID or a public constant."""
    for path in committed():
        for found in _GUID.findall(path.read_text(encoding="utf-8-sig")):
            guid = found.lower()
            assert guid in _BUILT_IN_ROLES or guid.startswith("00000000-0000-0000-") or guid[14] == "5", f"{found} in {by_name(path)}"
