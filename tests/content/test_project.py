"""Projects: finding toolkit.yaml, content by pattern and by content, and who gives a parameter its value."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.content.extensions import catalog_of
from toolkit.content.findings import ContentError, Findings
from toolkit.content.items import load_item
from toolkit.content.models.function import FunctionFile
from toolkit.content.project import Project
from toolkit.content.signature import split_signature
from toolkit.content.values import Given, ItemQuery
from toolkit.content.watchlists import read_watchlist
from toolkit.content.yaml import Scalar
from toolkit.kql.source import NOWHERE
from toolkit.kql.types import ScalarType

_RULE = """\
id: 00000000-0000-0000-0000-00000000000{number}
name: Rule {number}
severity: Low
kind: NRT
query: T | where a in ({{{{ names }}}}) | take {{{{ limit }}}}
parameters:
  names: {{type: list, default: [a]}}
  limit: {{type: int, default: 1}}
"""
_PROJECT = """\
parameters: {limit: 2}
rules: {first: {names: [b]}}
environments:
  prod:
    parameters: {limit: 3}
    rules: {first: {names: [c]}}
  dev: {}
catalog:
  tables: {Mine_CL: {TimeGenerated: datetime, Text: string}}
  columns: {SigninLogs: {Extra_s: string}}
exclude: ["detections/*/rules/draft-*"]
"""


def _write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    _write(
        tmp_path,
        **{
            "toolkit.yaml": _PROJECT,
            "detections/a/rules/first.yaml": _RULE.format(number=1),
            "detections/a/rules/second.yaml": _RULE.format(number=2),
            "detections/a/rules/first.tests.yaml": "cases: []\n",
            "detections/a/rules/draft-x.yaml": _RULE.format(number=3),
            "detections/a/watchlists/Known.csv": 'SearchKey,Name\nx,one\ny,"two, three"\n',
            "other/rule.yaml": _RULE.format(number=4),
            "other/workflow.yaml": "on: push\njobs: {}\n",
        },
    )
    return Project.find(tmp_path / "detections" / "a" / "rules", tmp_path)


def test_files_by_pattern_without_tests_and_excluded_ones(project: Project) -> None:
    assert [project.show(path) for path in project.files("rule")] == ["detections/a/rules/first.yaml", "detections/a/rules/second.yaml"]


def test_a_folder_outside_the_patterns_is_told_by_content(project: Project) -> None:
    assert [(item.shown, item.kind) for item in project.select([project.root / "other"])] == [("other/rule.yaml", "rule")]


@pytest.mark.parametrize(("name", "code"), [("other/workflow.yaml", "not-content"), ("other/none.yaml", "no-such-file")])
def test_a_named_file_that_is_no_content_is_refused(project: Project, name: str, code: str) -> None:
    with pytest.raises(ContentError) as refused:
        project.select([project.root / name])
    assert [finding.code for finding in refused.value.findings] == [code]


def test_a_tests_file_stands_for_its_rule(project: Project) -> None:
    assert [item.name for item in project.select([project.root / "detections/a/rules/first.tests.yaml"])] == ["first"]


@pytest.mark.parametrize(
    ("rule", "environment", "case", "rendered"),
    [
        ("first", None, {}, 'T | where a in (dynamic(["b"])) | take 2'),
        ("first", "prod", {}, 'T | where a in (dynamic(["c"])) | take 3'),
        ("first", "dev", {}, 'T | where a in (dynamic(["b"])) | take 2'),
        ("second", "prod", {}, 'T | where a in (dynamic(["a"])) | take 3'),
        ("second", "prod", {"limit": "4"}, 'T | where a in (dynamic(["a"])) | take 4'),
    ],
)
def test_the_nearest_value_of_a_parameter_holds(
    project: Project, rule: str, environment: str | None, case: dict[str, str], rendered: str
) -> None:
    item = project.select([project.root / f"detections/a/rules/{rule}.yaml"])[0]
    given = Given({name: Scalar(text, "int", "", NOWHERE) for name, text in case.items()})
    findings = Findings(item.source)
    query = ItemQuery(item, project, environment, (given,)).render(findings)
    assert not findings.found
    assert query is not None
    assert query.text == rendered


def test_values_of_the_wrong_type_stand_where_they_are_given(tmp_path: Path) -> None:
    _write(
        tmp_path,
        **{
            "toolkit.yaml": "parameters: {limit: many}\nrules: {first: {nmes: [b]}}\n",
            "detections/a/rules/first.yaml": _RULE.format(number=1),
        },
    )
    project = Project.find(tmp_path, tmp_path)
    item = next(project.items("rule"))
    findings = Findings(item.source)
    ItemQuery(item, project).render(findings)
    found = [(f.source.name, f.code, f.source.text[f.diagnostic.start : f.diagnostic.end]) for f in findings.found]
    assert found == [("toolkit.yaml", "wrong-type", "many"), ("toolkit.yaml", "unknown-parameter", "nmes")]
    assert "Did you mean 'names'?" in findings.found[1].render()


def test_an_unknown_environment_is_refused_with_a_suggestion(project: Project) -> None:
    with pytest.raises(ContentError, match="Did you mean 'prod'"):
        project.environment("prd")


def test_tables_and_columns_of_the_project(project: Project) -> None:
    catalog = catalog_of(project)
    mine, signin = catalog.table("Mine_CL"), catalog.table("SigninLogs")
    assert mine is not None
    assert signin is not None
    assert mine.column_type("Text") is ScalarType.STRING
    assert signin.column_type("Extra_s") is ScalarType.STRING
    assert signin.column_type("UserPrincipalName") is ScalarType.STRING


@pytest.mark.parametrize(
    ("text", "underlined", "words"),
    [
        ("contnt: {}\n", "contnt", "Did you mean 'content'"),
        ("environments: {prod: {parameter: {}}}\n", "parameter", "Did you mean 'parameters'"),
        ("environments: prod\n", "prod", "Expected a mapping"),
        ("catalog: {tables: {A_CL: {x: strng}}}\n", "A_CL", "Did you mean 'string'"),
        ("catalog: {columns: {SigninLog: {x_s: string}}}\n", "SigninLog", "Did you mean 'SigninLogs'"),
    ],
)
def test_a_wrong_toolkit_yaml_is_refused_at_its_place(tmp_path: Path, text: str, underlined: str, words: str) -> None:
    _write(tmp_path, **{"toolkit.yaml": text})
    with pytest.raises(ContentError, match=words) as refused:
        catalog_of(Project.find(tmp_path, tmp_path))
    finding = refused.value.findings[0]
    assert finding.source.text[finding.diagnostic.start : finding.diagnostic.end] == underlined


def test_a_csv_alone_is_a_watchlist(project: Project) -> None:
    watchlist = read_watchlist(next(project.items("watchlist")))
    assert watchlist is not None
    assert (watchlist.alias, watchlist.search_key) == ("Known", "SearchKey")
    assert watchlist.columns == ["SearchKey", "Name"]
    assert watchlist.rows == [{"SearchKey": "x", "Name": "one"}, {"SearchKey": "y", "Name": "two, three"}]


@pytest.mark.parametrize(
    ("csv", "code", "line"),
    [
        ("SearchKey,Name\nx\n", "broken-csv", 2),
        ("SearchKey,Name\nx,y\nx,y,z\n", "broken-csv", 3),
        ("", "empty-file", 1),
        ("Key,Name\nx,y\n", "unknown-column", 1),
        ('SearchKey,Name\nx,"y\n', "broken-csv", 2),
    ],
)
def test_broken_watchlists(tmp_path: Path, csv: str, code: str, line: int) -> None:
    _write(tmp_path, **{"detections/a/watchlists/W.csv": csv, "detections/a/watchlists/W.yaml": "alias: W\nitemsSearchKey: SearchKey\n"})
    item = next(Project.find(tmp_path, tmp_path).items("watchlist"))
    read_watchlist(item)
    assert [(finding.code, finding.position.line, Path(finding.source.name).name) for finding in item.findings] == [(code, line, "W.csv")]


@pytest.mark.parametrize(
    ("text", "name", "signature", "query"),
    [
        ("FunctionAlias: F\nFunctionQuery: T\n", "F", "", "T"),
        (
            "Function: {Title: x}\nFunctionName: G\nFunctionQuery: T\nFunctionParameters: 'a:string, b:long=5'\n",
            "G",
            "a:string, b:long=5",
            "T",
        ),
        (
            "ParserName: P\nParserQuery: T\nParserParams:\n- {Name: s, Type: int, Default: 5}\n- {Name: a, Type: string, Default: '*'}\n",
            "P",
            "s:int=5, a:string='*'",
            "T",
        ),
        ("name: Shown\nfunctionAlias: H\ncategory: x\nquery: T\nfunctionParameters: a:int\n", "H", "a:int", "T"),
    ],
)
def test_functions_in_every_format(tmp_path: Path, text: str, name: str, signature: str, query: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_text(text, encoding="utf-8")
    item = load_item(path, "f.yaml", None)
    assert item is not None
    assert not item.findings
    assert isinstance(item.model, FunctionFile)
    assert (item.model.name, item.model.signature, item.query and item.query.text) == (name, signature, query)


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        ("", []),
        ("a:string, b:long = 5", [("a", "string", None), ("b", "long", "5")]),
        ("a:dynamic=dynamic([1, 2]), b:string='x, y'", [("a", "dynamic", "dynamic([1, 2])"), ("b", "string", "'x, y'")]),
        ("T:(A:string, B:long), c:int", [("T", "(A:string, B:long)", None), ("c", "int", None)]),
    ],
)
def test_signatures(text: str, parameters: list[tuple[str, str, str | None]]) -> None:
    assert split_signature(text) == parameters
