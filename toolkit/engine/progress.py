"""DuckDB's progress bar, which would write into what a command or a notebook prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def switch_bar_off(connection: duckdb.DuckDBPyConnection) -> None:
    """Only where it is on by itself: in an interactive Python. In Jupyter without its widgets not even switching it off works."""
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchall() != [(False,)]:
        connection.execute("SET enable_progress_bar = false")
