"""The engine reaches exactly the files that were attached: reading, nothing else, and no way round."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit import Workspace
from toolkit.engine.database import EngineFailure

SECRET = "not for queries"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("given/date=2026-03-01/a", "given/b", "beside"):
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"n": [1, 2]}), path)
    (tmp_path / "secret.txt").write_text(SECRET, encoding="utf-8")
    (tmp_path / "given" / "link.parquet").symlink_to(tmp_path / "secret.txt")
    return tmp_path


@pytest.fixture
def workspace(folder: Path) -> Iterator[Workspace]:
    with closing(Workspace({"Other": {"n": "long"}})) as workspace:
        workspace.ingest("Other", [{"n": 7}])
        workspace.attach("T", [folder / "given" / "date=2026-03-01", folder / "given" / "b.parquet"])
        assert list(workspace.query("T | count").rows()) == [(4,)]
        yield workspace


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{0}/secret.txt')",
        "SELECT * FROM read_blob('{0}/given/link.parquet')",
        "SELECT * FROM read_parquet('{0}/beside.parquet')",
        "SELECT * FROM read_parquet('{0}/given/*.parquet')",
        "SELECT * FROM read_text('{0}/given/date=2026-03-01/../../secret.txt')",
        "SELECT * FROM read_text('{0}/given/b.parquet/../../secret.txt')",
        "SELECT * FROM read_text('file://{0}/secret.txt')",
        "SELECT * FROM read_csv('{0}/secret.txt')",
        "SELECT * FROM read_json('{0}/secret.txt')",
        "SELECT * FROM '{0}/beside.parquet'",
        "SELECT * FROM glob('{0}/*')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM read_csv('https://contoso.com/x.csv')",
        "COPY (SELECT 1 AS n) TO '{0}/given/b.parquet'",
        "COPY (SELECT 1 AS n) TO '{0}/given/b.parquet' (USE_TMP_FILE false)",
        "COPY (SELECT 1 AS n) TO '{0}/new.parquet'",
        "ATTACH '{0}/given/b.parquet' AS x",
        "ATTACH '{0}/new.db' AS x",
        "SET allowed_paths = ['{0}/secret.txt']",
        "SET enable_external_access = true",
        "SET lock_configuration = false",
        "INSTALL httpfs",
        "LOAD httpfs",
        "EXPORT DATABASE '{0}/out'",
        "CREATE TABLE x AS SELECT 1",
        "SELECT 1; SELECT 2",
    ],
)
def test_sql_reaches_nothing_else(workspace: Workspace, folder: Path, sql: str) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(EngineFailure) as failure:
        workspace.database.run(sql.format(folder))
    assert SECRET not in str(failure.value)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_stored_rows_move_with_the_engine(workspace: Workspace, folder: Path) -> None:
    fork = workspace.fork()
    fork.attach("U", folder / "beside.parquet")
    assert list(fork.query("union T, U, Other | summarize sum(n)").rows()) == [(6 + 3 + 7,)]
    assert list(workspace.query("union T, Other | summarize sum(n)").rows()) == [(6 + 7,)]
    fork.ingest("Other", [{"n": 8}])
    assert list(fork.query("Other | summarize sum(n)").rows()) == [(15,)]


def test_a_file_that_is_no_longer_there(workspace: Workspace, folder: Path) -> None:
    (folder / "given" / "b.parquet").unlink()
    with pytest.raises(Exception, match=r"b\.parquet"):
        workspace.query("T | count")
