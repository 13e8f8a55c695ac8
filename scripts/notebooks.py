"""`python -m scripts.notebooks`: runs the notebooks, each in a kernel of its own, and writes them as pages to build/notebooks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
_TIME_LIMIT = 600


def executed(path: Path, changes: dict[str, str] | None = None) -> Any:
    """The notebook with its outputs. `changes`: texts to replace in its code before. Raises CellExecutionError."""
    import nbformat
    from nbclient import NotebookClient

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat is not typed
    for cell in notebook.cells:
        for old, new in (changes or {}).items():
            cell.source = cell.source.replace(old, new)
    NotebookClient(notebook, timeout=_TIME_LIMIT, kernel_name="python3", resources={"metadata": {"path": str(NOTEBOOKS)}}).execute()
    return notebook


def main(names: list[str]) -> int:
    """Runs those that are named, or all. Returns the exit code: 1 when a cell failed."""
    from nbclient.exceptions import CellExecutionError
    from nbconvert import HTMLExporter

    target = ROOT / "build" / "notebooks"
    target.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in [Path(name) for name in names] or sorted(NOTEBOOKS.glob("*.ipynb")):
        try:
            notebook = executed(path)
        except CellExecutionError as error:
            failed = 1
            print(f"{path.name}: a cell failed\n{error}", file=sys.stderr)
            continue
        exporter: Any = HTMLExporter  # not typed
        page, _ = exporter().from_notebook_node(notebook)
        (target / f"{path.stem}.html").write_text(page, encoding="utf-8")
        print(f"{path.name}: {len(notebook.cells)} cells, written to build/notebooks/{path.stem}.html")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
