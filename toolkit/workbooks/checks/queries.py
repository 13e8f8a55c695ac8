"""Every KQL query is grammatical, and every name in it resolves, with the values that the workbook opens with in place.

A value that nobody knows before the workbook runs is made up from where it stands. What is then wrong counts only if it is
wrong for every stand-in and does not touch one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from toolkit.content.findings import Finding
from toolkit.content.yaml.nodes import Path
from toolkit.kql.analysis import Analysis
from toolkit.kql.diagnostics import Diagnostic
from toolkit.kql.passes.rewrite import relations
from toolkit.kql.plan import QueryPlan, Unsupported
from toolkit.workbooks.checks.inspection import Inspection
from toolkit.workbooks.model import Step
from toolkit.workbooks.references import Guess, Reference, Substituted, dangling, substitute
from toolkit.workbooks.values import TIME_FORMATS, TimeRange, Value, written

_LONGEST = 200_000
# 1 and 'sample' are quoted in a list; 2 is what one value in the arguments of a function may be
_STANDINS = ("1", "1d", "'sample'", "2", "sample", "", "{}", "> ago(1d)", "datetime(2026-01-01)")


def check_queries(seen: Inspection) -> None:
    """Analyses all queries of a workspace's logs, and keeps the columns that they give."""
    for step in seen.workbook.walk():
        for parameter in step.parameters:
            if parameter.query and parameter.is_local:
                _check(seen, step, (*parameter.path, "query"), parameter.query)
        query = step.query
        if query is None or not query.is_local:
            continue
        if not query.text.strip():
            seen.notes.add("missing-key", "The step has no query.", (*step.content_path, "query"), severity="warning")
            continue
        columns = _check(seen, step, (*step.content_path, "query"), query.text)
        if columns is not None:
            seen.columns[step.path] = columns


def _check(seen: Inspection, step: Step, path: Path, text: str) -> tuple[tuple[str, str], ...] | None:
    """Reports what is wrong with a query; its columns, or None when they are not known."""
    if len(text) > _LONGEST:
        seen.notes.add("query-too-long", f"The query has {len(text):,} characters; it is not checked.", path, severity="warning")
        return None
    # what no parameter gives is said by the check of parameters; the rest of the query is checked all the same
    missing = {found.name: Value(None, guessed=True) for found in dangling(text, seen.scopes.visible.get(step.path, {}))}
    values = {**missing, **seen.values(step)}
    analysis, pasted, wrong = _best(seen, text, values)
    for found in _first_causes(wrong):
        origin = pasted.origin(found.start, found.end)
        source, span = seen.files.place(path, origin.start, origin.end)
        seen.notes.found.append(Finding(source, replace(found, start=span.start, end=span.end)))
    return None if analysis.plan is None or _depends_on_data(analysis.plan) else analysis.columns


def _depends_on_data(bound: QueryPlan) -> bool:
    """Whether only the data can tell the columns: bag_unpack, pivot."""
    return any(isinstance(rel, Unsupported) for rel in relations([bound.rel]))


def _best(seen: Inspection, text: str, values: Mapping[str, Value]) -> tuple[Analysis, Substituted, list[Diagnostic]]:
    """The analysis with the stand-ins that fit, else what is wrong with all of them that may fit."""
    tried: dict[str, tuple[Analysis, Substituted]] = {}
    for standin in _STANDINS:
        pasted = substitute(text, values, "query", _guess(standin))
        if pasted.text in tried:
            continue
        analysis = seen.analyze(pasted.text)
        if not pasted.guesses or not analysis.errors or _is_elsewhere(analysis, pasted):
            return analysis, pasted, list(analysis.diagnostics)
        tried[pasted.text] = analysis, pasted
    fitting = [one for one in tried.values() if _may_fit(*one)] or list(tried.values())
    analysis, pasted = fitting[0]
    keys = [{_key(found, other) for found in one.errors} for one, other in fitting]
    common = [found for found in analysis.errors if not pasted.touches_guess(found.start, found.end)]
    return analysis, pasted, [found for found in common if all(_key(found, pasted) in those for those in keys)]


def _is_elsewhere(analysis: Analysis, pasted: Substituted) -> bool:
    """Whether all that is wrong are names that nobody knows, away from any stand-in: another one would change nothing."""
    return _may_fit(analysis, pasted) and all(found.code.startswith("unknown-") for found in analysis.errors)


def _may_fit(analysis: Analysis, pasted: Substituted) -> bool:
    """Whether a stand-in is of the right kind: it makes no error of grammar, and none where it stands."""
    return not any(found.stage == "syntax" or pasted.touches_guess(found.start, found.end) for found in analysis.errors)


def _first_causes(found: list[Diagnostic]) -> list[Diagnostic]:
    """Without what only follows from a table, function or column that nobody knows."""
    unknown = [one for one in found if one.code.startswith("unknown-")]
    return [one for one in found if one in unknown or one.stage == "syntax"] if unknown else found


def _key(found: Diagnostic, pasted: Substituted) -> tuple[str, int]:
    return found.code, pasted.origin(found.start, found.end).start


def _guess(standin: str) -> Guess:
    def guess(text: str, found: Reference, value: Value) -> str:
        before, after = text[: found.start][-1:], text[found.end : found.end + 1]
        if isinstance(value.plain, TimeRange) or (found.format in TIME_FORMATS - {"value", "label", "query"}):
            return _of_time(found.format)
        if _in_quotes(text, found) or before in ("'", '"') or after in ("'", '"'):
            return "{}" if value.whole else "sample"
        if value.plain and not isinstance(value.plain, tuple):
            return written(value, found.format, "query")
        quoted = f"{value.quote}sample{value.quote}"
        return quoted if value.quote and standin in ("1", "'sample'") and _in_list(text, found) else standin

    return guess


def _of_time(form: str) -> str:
    texts = {"start": "datetime(2026-01-01)", "end": "datetime(2026-01-02)", "grain": "30m", "seconds": "86400"}
    return texts.get(form, "2026-01-01T00:00:00.000Z" if form.endswith("ISO") else "> ago(1d)")


def _in_quotes(text: str, found: Reference) -> bool:
    line = text[text.rfind("\n", 0, found.start) + 1 : found.start]
    return any(line.replace(f"\\{quote}", "").count(quote) % 2 == 1 for quote in ('"', "'"))


def _in_list(text: str, found: Reference) -> bool:
    return text[: found.start].rstrip()[-1:] in ("(", "[", ",")
