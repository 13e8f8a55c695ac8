"""`Workspace.map_ip_locations`: a file of networks in place of the database of geo_info_from_ip_address (R-170)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from toolkit import Workspace
from toolkit.engine.ingest.findings import IngestError
from toolkit.kql.diagnostics import KqlError

HEADER = "network,country,state,city,latitude,longitude\n"
WIDE = {"country": "Australia", "state": "New South Wales", "city": "Sydney", "latitude": -33.8715, "longitude": 151.2006}
NARROW = {"country": "United States", "latitude": 37.751, "longitude": -97.822}


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    with closing(Workspace({"T": {"a": "string"}})) as found:
        yield found


def _file(folder: Path, text: str) -> Path:
    path = folder / "locations.csv"
    path.write_text(text, encoding="utf-8")
    return path


def _locations(workspace: Workspace, *addresses: str) -> list[object]:
    rows = ",".join(f"'{address}'" for address in addresses)
    return [row[0] for row in workspace.query(f"datatable(s: string)[{rows}] | project geo_info_from_ip_address(s)").rows()]


def test_the_longest_network_counts(workspace: Workspace, tmp_path: Path) -> None:
    networks = (
        "203.0.113.0/24,Australia,New South Wales,Sydney,-33.8715,151.2006\n"
        "203.0.113.64/26,United States,,,37.751,-97.822\n"
        "203.0.113.70,Norway,,,,\n"
        "2001:db8::/32,Australia,New South Wales,Sydney,-33.8715,151.2006\n"
    )
    workspace.map_ip_locations(_file(tmp_path, HEADER + networks))
    assert _locations(workspace, "203.0.113.1", " 203.0.113.65", "203.0.113.70") == [WIDE, NARROW, {"country": "Norway"}]
    assert _locations(workspace, "2001:db8::17", "::ffff:203.0.113.1") == [WIDE, WIDE]
    assert _locations(workspace, "198.51.100.1", "2001:db9::1", "10.0.0.1", "203.0.113.1/24", "x", "") == [None] * 6


def test_only_a_row_that_asks_is_refused(workspace: Workspace) -> None:
    query = "T | extend c = tostring(geo_info_from_ip_address(a).country)"
    assert workspace.query(query).rows() == []
    workspace.ingest("T", [{"a": "10.0.0.1"}, {"a": ""}])
    assert workspace.query(query).rows() == [("10.0.0.1", ""), ("", "")]
    workspace.ingest("T", [{"a": "198.51.100.1"}])
    with pytest.raises(KqlError, match=r"query:1:25: error: geo_info_from_ip_address: .*map_ip_locations"):
        workspace.query(query)


def test_a_fork_maps_for_itself(workspace: Workspace, tmp_path: Path) -> None:
    fork = workspace.fork()
    fork.map_ip_locations(_file(tmp_path, HEADER + "198.51.100.0/24,Norway,,,,\n"))
    assert _locations(fork, "198.51.100.1") == [{"country": "Norway"}]
    assert _locations(fork.fork(), "198.51.100.1") == [{"country": "Norway"}]
    with pytest.raises(KqlError):
        _locations(workspace, "198.51.100.1")


def test_mapping_again_reads_again(workspace: Workspace, tmp_path: Path) -> None:
    workspace.map_ip_locations(_file(tmp_path, HEADER + "198.51.100.0/24,Norway,,,,\n"))
    workspace.map_ip_locations(_file(tmp_path, HEADER + "198.51.100.0/24,Peru,,,,\n"))
    assert _locations(workspace, "198.51.100.1") == [{"country": "Peru"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network,country\n1.2.3.0/24,x\n", r"locations\.csv:1: .*expected the columns"),
        ("", r"locations\.csv:1: .*expected the columns"),
        (HEADER + "1.2.3.0/24,a,,,,\n1.2.3.4/24,a,,,,\n", r"locations\.csv:3: .*host bits"),
        (HEADER + "x,a,,,,\n", r"locations\.csv:2: .*'x' does not appear to be"),
        (HEADER + ",a,,,,\n", r"locations\.csv:2: "),
        (HEADER + "1.2.3.0/24,a\n", r"locations\.csv:2: .*expected 6 cells"),
        (HEADER + "1.2.3.0/24,a,,,91,0\n", r"locations\.csv:2: .*latitude of -90 to 90"),
        (HEADER + "1.2.3.0/24,a,,,1,\n", r"locations\.csv:2: .*number as longitude"),
        (HEADER + "1.2.3.0/24,a,,,,\n1.2.3.0/24,b,,,,\n", r"locations\.csv:3: .*twice"),
        (HEADER + '1.2.3.0/24,"a,,,,\n', r"cannot be read"),
    ],
)
def test_a_bad_file_is_named_with_its_line(workspace: Workspace, tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(IngestError, match=message):
        workspace.map_ip_locations(_file(tmp_path, text))


def test_a_file_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="nowhere"):
        workspace.map_ip_locations(tmp_path / "nowhere.csv")
