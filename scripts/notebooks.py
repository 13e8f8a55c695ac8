"""`python -m scripts.notebooks`: runs the notebooks, each in a kernel of its own, and writes them as pages to build/notebooks.

One of them is for Kqlmagic: its kernel is Python in an environment with Kqlmagic, and while it runs, the `toolkit serve` that it tells
its reader to start answers on a free port.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
KQLMAGIC = ROOT / ".cache" / "kqlmagic" / "bin" / "python"
"""Python of the environment that `make notebooks` and `make test-kqlmagic` make."""
_TIME_LIMIT = 600
_SERVE = re.compile(r"^toolkit (serve .+)$", re.MULTILINE)
_URL = "http://127.0.0.1:8765"
# Charts of plotly for Jupyter, and as HTML that brings the library along instead of loading it from the Internet.
_RENDERER = {"PLOTLY_RENDERER": "plotly_mimetype+notebook"}


class NotebookError(Exception):
    """A notebook that cannot be run as things are."""


def all_notebooks() -> list[Path]:
    return sorted(path for path in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def executed(path: Path, more: str = "", kqlmagic: Path = KQLMAGIC) -> Any:
    """The notebook with its outputs. `more`: code of one more cell at its end. Raises CellExecutionError, NotebookError."""
    import nbformat

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]  # nbformat is not typed
    if more:
        notebook.cells.append(nbformat.v4.new_code_cell(more))  # type: ignore[no-untyped-call]
    command = _SERVE.search("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown"))
    if command is None:
        _run(notebook, NOTEBOOKS, kernel_name="python3")
        return notebook
    if not kqlmagic.exists():
        raise NotebookError(f"Kqlmagic is not installed ({kqlmagic}). `make notebooks` does it.")
    # Kqlmagic leaves files in the current folder.
    with tempfile.TemporaryDirectory() as folder, _serving(shlex.split(command[1])) as url:
        for cell in notebook.cells:
            cell.source = cell.source.replace(_URL, url)
        _run(notebook, Path(folder), km=_kernel(kqlmagic, Path(folder)))
    return notebook


def _run(notebook: Any, folder: Path, **kernel: Any) -> None:
    from nbclient import NotebookClient

    # A kernel warns that its connection on this machine is not encrypted.
    client = NotebookClient(
        notebook, timeout=_TIME_LIMIT, resources={"metadata": {"path": str(folder)}}, extra_arguments=["--log-level=ERROR"], **kernel
    )
    # Without this, a kernel that was made for the client outlives it.
    client.execute(cleanup_kc=True)


def _kernel(python: Path, home: Path) -> Any:
    """A kernel of another environment, without what this user's own start-up files do."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    spec = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Kqlmagic",
        "language": "python",
        "env": {"HOME": str(home), **_RENDERER},
    }
    folder = home / "kernels" / "kqlmagic"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return AsyncKernelManager(kernel_name="kqlmagic", kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder.parent)]))


@contextmanager
def _serving(arguments: list[str]) -> Iterator[str]:
    """`toolkit serve` with these arguments, on a free port; its address."""
    command = [sys.executable, "-m", "toolkit.cli", *arguments, "--port", "0", "--quiet"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+:\d+", process.stdout.readline())
            if found is None:
                raise NotebookError("toolkit serve did not start.")
            yield found[0]
        finally:
            process.terminate()


def main(names: list[str]) -> int:
    """Runs those that are named, or all. Returns the exit code: 1 when a cell failed."""
    from nbclient.exceptions import CellExecutionError
    from nbconvert import HTMLExporter

    failed = 0
    for path in [Path(name).resolve() for name in names] or all_notebooks():
        name = path.relative_to(NOTEBOOKS)
        try:
            notebook = executed(path)
        except CellExecutionError as error:
            failed = 1
            print(f"{name}: a cell failed\n{error}", file=sys.stderr)
            continue
        except NotebookError as error:
            failed = 1
            print(f"{name}: {error}", file=sys.stderr)
            continue
        target = (ROOT / "build" / "notebooks" / name).with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        exporter: Any = HTMLExporter  # not typed
        page, _ = exporter().from_notebook_node(notebook)
        target.write_text(page, encoding="utf-8")
        print(f"{name}: {len(notebook.cells)} cells, written to {target.relative_to(ROOT)}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
