"""An engine of its own for a look through files, before the one for queries may reach them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engine.progress import switch_bar_off

if TYPE_CHECKING:
    import duckdb

RESPELLED = r"\\u|\d[eE][-+\d]|\d{15}|0\.000"
"""What DuckDB spells in another way than Python, in the text of a JSON value."""

_OFF = dict.fromkeys(("autoinstall_known_extensions", "enable_external_file_cache"), "false")


def scanner() -> duckdb.DuckDBPyConnection:
    """An empty DuckDB that reads files and writes none, also not to standard output."""
    import duckdb

    connection = duckdb.connect(config={**_OFF, "temp_directory": "", "TimeZone": "UTC"})
    switch_bar_off(connection)
    return connection
