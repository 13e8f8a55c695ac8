"""`%kql` and `%%kql`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import HTML, display

from toolkit.jupyter.hunt import Answer, Hunt
from toolkit.jupyter.options import USAGE, Line, MagicError, Settings, read_line
from toolkit.report.pages import note_html

if TYPE_CHECKING:
    from toolkit import Result

_T = TypeVar("_T")
# IPython's functions are not typed.
_display: Any = display
_html: Any = HTML
_SILENCE = 1.0  # seconds that a query may take before it says that it runs
_BETWEEN = 0.5


@magics_class
class KqlMagics(Magics):
    """The magics of one notebook and what they work on."""

    def __init__(self, shell: Any) -> None:
        super().__init__(shell)
        self.hunt = Hunt(Path.cwd())

    @property
    def _names(self) -> dict[str, Any]:
        """The variables of the notebook."""
        assert self.shell is not None
        names: dict[str, Any] = self.shell.user_ns
        return names

    @line_cell_magic
    def kql(self, line: str, cell: str | None = None) -> Result | None:
        """Run KQL. A line without a query sets what the cells below it use; `%kql ?` shows all options."""
        if line.strip() == "?":
            print(USAGE)  # noqa: T201  # a person asked for it
            return None
        asked = read_line(line)
        query = asked.rest if cell is None else cell
        if cell is not None and asked.rest:
            raise MagicError(f"%%kql: expected options, found {asked.rest!r}. The query begins on the next line.")
        settings = asked.over(self.hunt.settings)
        if not query.strip():
            self._set(settings)
            return None
        if settings.env and asked.given.get("now"):
            raise MagicError("--now works on recorded logs; a workspace has its own clock. Use --start and --end.")
        answer = self._answer(query, settings, asked, "cell" if cell is not None else "query")
        if asked.output:
            self._names[asked.output] = answer.result
        if not asked.quiet:
            for note in answer.notes:
                _show_note(note)
        return None if asked.quiet else answer.result

    def _set(self, settings: Settings) -> None:
        """Keeps settings for later cells, and shows what they mean."""
        if settings.env:
            self.hunt.settings = settings
            _show_note(f"Queries run on the workspace of the environment {settings.env}{_span(settings)}.")
            return
        result, notes = in_background(lambda: self.hunt.summary(settings), self.hunt.interrupt)
        self.hunt.settings = settings
        now = f" now() is {settings.now:%Y-%m-%d %H:%M:%SZ}." if settings.now else ""
        where = ", ".join(settings.data) or "no logs"
        _show_note("\n".join((f"Queries run on recorded logs: {where}{_span(settings)}.{now}", *notes)))
        if settings.data:
            _display(result)

    def _answer(self, query: str, settings: Settings, asked: Line, name: str) -> Answer:
        missing = [each for each in asked.variables if each not in self._names]
        if missing:
            raise MagicError(f"--let: there is no Python variable {', '.join(missing)}")
        variables = {each: self._names[each] for each in asked.variables}
        return in_background(lambda: self.hunt.run(query, settings, variables, name=name), self.hunt.interrupt)


def _show_note(text: str) -> None:
    _display(_html(note_html(text)))


def _span(settings: Settings) -> str:
    begin = f" after {settings.start:%Y-%m-%d %H:%M:%SZ}" if settings.start else ""
    end = f" up to {settings.end:%Y-%m-%d %H:%M:%SZ}" if settings.end else ""
    return f", rows{begin}{end}" if begin or end else ""


def in_background(work: Callable[[], _T], stop: Callable[[], None]) -> _T:
    """What `work` gives. Takes it long, a line tells for how long already; an interrupt of the kernel stops it."""
    done = threading.Event()
    found: list[_T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again below, in the thread of the notebook
            failed.append(error)
        finally:
            done.set()

    thread = threading.Thread(target=run, name="kql", daemon=True)
    _watch(thread, done, stop)
    if failed:
        raise failed[0] from None
    return found[0]


def _watch(thread: threading.Thread, done: threading.Event, stop: Callable[[], None]) -> None:
    begun = time.monotonic()
    shown: Any = None
    try:
        thread.start()
        if done.wait(_SILENCE):
            return
        while not done.wait(_BETWEEN):
            text = _html(note_html(f"running for {time.monotonic() - begun:.0f} s; interrupt the kernel to stop"))
            if shown is None:
                shown = _display(text, display_id=True)
            else:
                shown.update(text)
    except KeyboardInterrupt:
        stop()
        thread.join()
        raise MagicError("Stopped.") from None
    finally:
        if shown is not None:
            shown.update(_html(""))
