"""What counts as a difference, how it reads, and which resources are refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.deploy.mapping.content import SETTINGS, item_of
from toolkit.deploy.mapping import (
    ArmResource,
    MappingError,
    Settings,
    UnmappableError,
    WorkbookSource,
    differences,
    from_arm,
    normal,
    to_arm,
)
from toolkit.deploy.mapping.values import description_text, join_techniques, split_techniques
from toolkit.kql.source import Source

DATA = Path(__file__).parent / "data"
GUID = "2b2c1f3e-6f41-4f0a-9c58-111111111111"


def _cases(name: str) -> list[Any]:
    return list(yaml.safe_load((DATA / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", _cases("differences.yaml"), ids=lambda case: case["title"])
def test_differences(case: dict[str, Any]) -> None:
    envelope = case.get("envelope", {})
    desired = {**envelope, "properties": case["desired"]}
    remote = {**case.get("remote_envelope", envelope), "properties": case["remote"]}
    kept = copy.deepcopy((desired, remote))
    assert [difference.render() for difference in differences(case["kind"], desired, remote)] == case["shown"]
    assert (desired, remote) == kept
    assert len(differences(case["kind"], remote, desired)) == len(case["shown"])


@pytest.mark.parametrize("case", _cases("refused.yaml"), ids=lambda case: f"{case['kind']} {case['words']}")
def test_refused(case: dict[str, Any]) -> None:
    name = case.get("name", "w" if case["kind"] == "watchlist" else GUID)
    with pytest.raises(UnmappableError) as error:
        from_arm(ArmResource(case["kind"], name, case["body"]), SETTINGS)
    assert (error.value.path, case["words"] in str(error.value)) == (case["path"], True), str(error.value)


def test_the_policy_decides_only_where_the_file_does_not() -> None:
    text = f"id: {GUID}\nname: a\nkind: NRT\nseverity: Low\nquery: T\n"
    link = "alertRuleTemplateName: x\ntemplateVersion: 1.0.0\n"
    settings = Settings(SETTINGS.project, "prod", enabled=False, template_link="strip")
    silent, said = to_arm(item_of(text), settings), to_arm(item_of(f"{text}enabled: true\n{link}"), settings)
    assert (silent.body["properties"]["enabled"], silent.by_policy) == (False, ("properties.enabled",))
    assert (said.body["properties"]["enabled"], said.by_policy) == (True, ())
    assert said.left_out == ("alertRuleTemplateName", "templateVersion")
    assert "templateVersion" not in said.body["properties"]


@pytest.mark.parametrize(
    ("text", "code"), [("{", "broken-json"), ('{"a": NaN}', "broken-json"), ('{"a":1,"a":2}', "duplicate-key"), ("[]", "wrong-type")]
)
def test_a_workbook_that_is_none(text: str, code: str) -> None:
    with pytest.raises(MappingError) as error:
        to_arm(WorkbookSource("overview", Source(text, "overview.json")), SETTINGS)
    assert [finding.code for finding in error.value.findings] == [code]


def test_a_workbook_alone() -> None:
    resource = to_arm(WorkbookSource("overview", Source('{\n  "items": [1.0, "é"]\n}\n', "overview.json")), SETTINGS)
    assert resource.body["properties"]["serializedData"] == '{"items":[1.0,"é"]}'
    assert resource.body["properties"]["displayName"] == "overview"
    other = to_arm(WorkbookSource("other", Source("{}", "other.json")), SETTINGS)
    assert resource.name != other.name == other.name.lower()


@pytest.mark.parametrize("environment", [None, "test"])
def test_content_that_needs_a_workspace(environment: str | None) -> None:
    from toolkit.content.models.project import Environment

    project = SETTINGS.project
    config = project.config.model_copy(update={"environments": {"test": Environment()}})
    settings = Settings(type(project)(project.root, project.base, config), environment)
    with pytest.raises(MappingError, match="this content needs"):
        to_arm(WorkbookSource("overview", Source("{}", "overview.json")), settings)


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("'one'", "one"),
        ('"a user\'s"', "a user's"),
        ("'a user's sign-in'", "a user's sign-in"),
        ("'Looks for 'admin' here'", "Looks for 'admin' here"),
        ("'a' or 'b'", "'a' or 'b'"),
        ("'", "'"),
        ("'a\"", "'a\""),
        ("'a'\n\n", "a"),
    ],
)
def test_quotes_left_in_a_block(text: str, inner: str) -> None:
    assert description_text(text, "|") == inner
    assert description_text(text, "'") == text.rstrip()


@pytest.mark.parametrize(
    "given", [["T1"], ["T1.001", "T1"], ["T1", "T1.001"], ["T2", "T1.001", "T2.001"], ["T1.001", "T2.001", "T1.002"], []]
)
def test_techniques_there_and_back(given: list[str]) -> None:
    parts = split_techniques(given)
    assert split_techniques(join_techniques(*parts)) == parts


@given(st.lists(st.text(st.sampled_from('ab !"\\#\x01é,'), max_size=3), max_size=6))
def test_sets_of_texts_are_in_the_order_of_their_json(labels: list[str]) -> None:
    """The marks in workspaces are made of this order: another one would make everything look edited."""
    found = normal("watchlist", {"properties": {"labels": labels}})["properties"].get("labels", [])
    assert found == [json.loads(text) for text in sorted({json.dumps(label, ensure_ascii=False) for label in labels})]
