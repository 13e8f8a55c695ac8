"""Completion of KQL in cells: IPython's matcher over `completion`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher

from toolkit.jupyter.completion import choices
from toolkit.jupyter.options import read_line
from toolkit.kql.diagnostics import ToolkitError

if TYPE_CHECKING:
    from toolkit.jupyter.hunt import Hunt

NAME = "toolkit_kql_matcher"
_OPTIONS = ("--data", "--end", "--env", "--lenient", "--let", "--now", "--output", "--quiet", "--start", "--timeout")


def add_matcher(shell: Any, hunt: Hunt) -> None:
    """Completion for cells that begin with %%kql and lines that begin with %kql; nothing else changes."""

    @context_matcher(identifier=NAME)  # type: ignore[untyped-decorator]  # IPython's
    def kql_matcher(context: Any) -> dict[str, Any]:
        query = query_before(context.full_text, context.cursor_line, context.cursor_position)
        if query is None:
            return {"completions": [], "suppress": False}
        before, is_query = query
        try:
            found, length = choices(before, hunt.workspace(hunt.settings)) if is_query else _option_choices(before)
        except ToolkitError:
            return {"completions": [], "suppress": False}
        completions = [SimpleCompletion(text=each.text, type=each.kind) for each in found]
        return {"completions": completions, "matched_fragment": before[len(before) - length :], "ordered": True, "suppress": True}

    remove_matcher(shell)
    shell.Completer.custom_matchers.append(kql_matcher)


def remove_matcher(shell: Any) -> None:
    matchers = shell.Completer.custom_matchers
    matchers[:] = [each for each in matchers if getattr(each, "matcher_identifier", "") != NAME]


def _option_choices(before: str) -> tuple[list[Any], int]:
    from toolkit.jupyter.completion import Choice

    word = before.rpartition(" ")[2]
    return [Choice(name, "option") for name in _OPTIONS if name.startswith(word)] if word.startswith("-") else [], len(word)


def query_before(text: str, line: int, column: int) -> tuple[str, bool] | None:
    """The text of KQL in front of the cursor, or of options (False); None where the cell is none of ours."""
    lines = text.split("\n")
    here = lines[line][:column] if line < len(lines) else ""
    if lines[0].startswith("%%kql") and line > 0:
        return "\n".join([*lines[1:line], here]), True
    if lines[0].startswith("%%kql"):
        return here, False
    mark = here.find("%kql ")
    if mark < 0 or here[:mark].strip("= _abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"):
        return None
    behind = here[mark + len("%kql ") :]
    try:
        rest = read_line(behind).rest
    except ToolkitError:
        return behind, False
    return (rest, True) if rest and not rest.startswith("-") else (behind, False)
