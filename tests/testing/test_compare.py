"""Expected values against cells by KQL type, pairing of rows, and patched logs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolkit.content.yaml import parse_yaml
from toolkit.content.yaml.nodes import Scalar, containers
from toolkit.kql.source import NOWHERE
from toolkit.testing.compare import match_rows, nearest_row, same_value
from toolkit.testing.patch import PatchError, matches, patched, steps_of, value_at


def _yaml(text: str) -> Any:
    root = parse_yaml(text, "x")[0].root
    assert root is not None
    return containers(root)


@pytest.mark.parametrize(
    ("text", "actual", "kind", "same"),
    [
        ("abc", "abc", "string", True),
        ("abc", "Abc", "string", False),
        ("1.0", "1.0", "string", True),
        ("true", "true", "string", True),
        ("''", "", "string", True),
        ("null", "", "string", True),
        ("null", None, "long", True),
        ("0", None, "long", False),
        ("5", 5, "long", True),
        ("5.0", 5, "long", True),
        ("'5'", 5, "long", True),
        ("six", 5, "long", False),
        ("0.1", 0.1, "real", True),
        ("0.3", 0.1 + 0.2, "real", True),
        (".nan", float("nan"), "real", False),
        ("nan", float("nan"), "real", True),
        ("1.10", Decimal("1.1"), "decimal", True),
        ("true", True, "bool", True),
        ("TRUE", True, "bool", True),
        ("1", True, "bool", False),
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC), "datetime", True),
        ("2026-03-02T11:00:00+01:00", datetime(2026, 3, 2, 10, tzinfo=UTC), "datetime", True),
        ("2026-03-02 10:00:00", datetime(2026, 3, 2, 10, tzinfo=UTC), "datetime", True),
        ("2026-03-02", datetime(2026, 3, 2, 10, tzinfo=UTC), "datetime", False),
        ("5m", timedelta(minutes=5), "timespan", True),
        ("00:05:00", timedelta(minutes=5), "timespan", True),
        ("'-1.00:00:00'", timedelta(days=-1), "timespan", True),
        ("0A000000-0000-0000-0000-000000000001", "0a000000-0000-0000-0000-000000000001", "guid", True),
        ("{a: [1, x]}", {"a": [1, "x"]}, "dynamic", True),
        ("[1, 2]", [2, 1], "dynamic", False),
        ("'[1, 2]'", [1, 2], "dynamic", True),
        ("x", "x", "dynamic", True),
        ("1", 1, "dynamic", True),
        ("1", True, "dynamic", False),
        ("{a: 1}", {"a": 1, "b": 2}, "dynamic", False),
        ("{kind: Event}", '{"kind":"Event"}', "string", True),
    ],
)
def test_values_by_type(text: str, actual: Any, kind: str, same: bool) -> None:
    assert same_value(_yaml(text), actual, kind) is same


def test_rows_are_paired_so_that_most_expectations_are_met() -> None:
    expected = _yaml("[{A: x}, {A: x, B: '1'}, {A: x, C: q}]")
    actual = [{"A": "x", "B": "1", "C": ""}, {"A": "x", "B": "2", "C": "q"}, {"A": "x", "B": "3", "C": ""}, {"A": "y", "B": "", "C": ""}]
    match = match_rows(expected, actual, dict.fromkeys("ABC", "string"))
    assert (match.missing, match.extra) == ([], [3])


def test_one_row_cannot_meet_two_expectations() -> None:
    match = match_rows(_yaml("[{A: x}, {A: x}]"), [{"A": "x"}], {"A": "string"})
    assert (len(match.missing), match.extra) == (1, [])


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_pairing_is_as_large_as_it_can_be(expected: list[int], actual: list[int]) -> None:
    rows = [{"A": number} for number in actual]
    wanted = [{"A": Scalar(str(number), "int", "", NOWHERE)} for number in expected]
    match = match_rows(wanted, rows, {"A": "long"})
    pairs = sum(min(expected.count(number), actual.count(number)) for number in range(4))
    assert len(expected) - len(match.missing) == pairs
    assert len(actual) - len(match.extra) == pairs


def test_the_nearest_row_agrees_in_most_columns() -> None:
    rows = [{"A": "x", "B": "1"}, {"A": "y", "B": "2"}, {"A": "x", "B": "2"}]
    assert nearest_row(_yaml("{A: x, B: '2', C: z}"), rows, {}) == rows[2]
    assert nearest_row(_yaml("{A: x}"), [], {}) is None


_EVENT: dict[str, Any] = {
    "user": {"username": "alice"},
    "verb": "create",
    "annotations": {"authorization.k8s.io/decision": "allow"},
    "subjects": [{"name": "a"}, {"name": "b"}],
}
_RECORD = {"Category": "kube-audit", "log_s": json.dumps(_EVENT), "Number_d": 1.0, "Tags": {"a": [1, 2]}}


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a.b", ["a", "b"]),
        ("a[0].b", ["a", 0, "b"]),
        ("a['x.y'].b", ["a", "x.y", "b"]),
        ('a["x.y"]', ["a", "x.y"]),
    ],
)
def test_paths(path: str, steps: list[str | int]) -> None:
    assert steps_of(path) == steps


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("log_s.user.username", "bob", ["user", "username"]),
        ("log_s.subjects[1].name", "bob", ["subjects", 1, "name"]),
        ("log_s.annotations.authorization.k8s.io/decision", "forbid", ["annotations", "authorization.k8s.io/decision"]),
        ("log_s.annotations['authorization.k8s.io/decision']", "forbid", ["annotations", "authorization.k8s.io/decision"]),
        ("log_s.user.groups", "[x, y]", ["user", "groups"]),
        ("log_s.verb", "{a: 1}", ["verb"]),
    ],
)
def test_patching_inside_json_text(path: str, value: str, where: list[str | int]) -> None:
    changed = patched(_RECORD, path, _yaml(value), _RECORD)
    expected = json.loads(json.dumps(_EVENT))
    here = expected
    for step in where[:-1]:
        here = here[step]
    here[where[-1]] = {"[x, y]": ["x", "y"], "{a: 1}": {"a": 1}}.get(value, value)
    assert json.loads(changed["log_s"]) == expected
    assert {name: value for name, value in changed.items() if name != "log_s"} == {k: v for k, v in _RECORD.items() if k != "log_s"}
    assert json.loads(str(_RECORD["log_s"])) == _EVENT


def test_patching_json_text_inside_json_text() -> None:
    record = {"log_s": json.dumps({"requestObject": json.dumps({"roleRef": {"name": "view"}})})}
    changed = patched(record, "log_s.requestObject.roleRef.name", _yaml("cluster-admin"), [])
    assert json.loads(json.loads(changed["log_s"])["requestObject"]) == {"roleRef": {"name": "cluster-admin"}}


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("Category", "kube-audit-admin", "kube-audit-admin"),
        ("Category", "1.0", "1.0"),
        ("Number_d", "2", 2),
        ("Tags.a[0]", "5", {"a": [5, 2]}),
        ("log_s", "{a: 1}", '{"a":1}'),
        ("New_s", "x", "x"),
        ("Category", "null", None),
    ],
)
def test_patching_whole_columns(path: str, value: str, expected: Any) -> None:
    changed = patched(_RECORD, path, _yaml(value), [*_RECORD, "New_s"])
    assert changed[path.partition(".")[0]] == expected


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("log_s.usr.username", "has no 'usr'"),
        ("log_s.subjects[7].name", "has no 7"),
        ("log_x.user", "no column 'log_x'"),
        ("Category.user", "holds no JSON"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path: str, words: str) -> None:
    with pytest.raises(PatchError, match=words):
        patched(_RECORD, path, _yaml("x"), _RECORD)


@pytest.mark.parametrize(
    ("where", "same"),
    [
        ("{log_s.verb: create}", True),
        ("{log_s.verb: delete}", False),
        ("{log_s.user.username: alice, Category: kube-audit}", True),
        ("{log_s.annotations.authorization.k8s.io/decision: allow}", True),
        ("{Number_d: 1}", True),
        ("{log_s.nothing.here: x}", False),
        ("{log_s.subjects: [{name: a}, {name: b}]}", True),
    ],
)
def test_choosing_records(where: str, same: bool) -> None:
    assert matches(_RECORD, _yaml(where)) is same


def test_a_value_that_is_not_there_is_null() -> None:
    assert value_at(_RECORD, "log_s.nothing") is None
    assert value_at(_RECORD, "Nothing") is None
