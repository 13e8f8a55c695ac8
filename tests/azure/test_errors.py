"""What Azure answers, as errors; and secrets out of texts. The cases are data: `errors.yaml`, `texts.yaml`."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml

from toolkit.azure import errors
from toolkit.azure.answers import facts_of, kind_of
from toolkit.azure.errors import Facts
from toolkit.azure.redaction import HIDDEN, redact, secrets_of

_HERE = Path(__file__).parent
_ERRORS = yaml.safe_load((_HERE / "errors.yaml").read_text(encoding="utf-8"))
_TEXTS = yaml.safe_load((_HERE / "texts.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", _ERRORS, ids=lambda case: f"{case['status']} {case['is']}")
def test_an_answer_is_an_error_of_its_own(case: dict[str, Any]) -> None:
    base = Facts(
        f"Azure answered {case['status']}", "PUT", "/a/rule", case["status"], etag='"1"', roles=("Microsoft Sentinel Contributor",)
    )
    facts = facts_of(case["body"], base)
    error = kind_of(facts)(Facts(**{**{name: getattr(facts, name) for name in Facts.__slots__}, "correlation_id": "c-1"}))
    assert type(error).__name__ == case["is"]
    for part in ("PUT /a/rule: ", "expected: ", "hint: ", "correlation id: c-1", *case.get("says", ())):
        assert part in str(error)
    for part in case.get("lacks", ()):
        assert part not in f"{error} {error!r} {error.facts}"
    if isinstance(error, errors.QueryRejectedError):
        assert error.transient is case.get("transient", False)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.facts) == (type(error), str(error), error.facts)


@pytest.mark.parametrize("case", _TEXTS["redacted"], ids=lambda case: case["gone"][0])
def test_secrets_are_taken_out(case: dict[str, Any]) -> None:
    text = redact(case["text"], case.get("known", ()))
    assert HIDDEN in text
    for secret in case["gone"]:
        assert secret not in text
    assert redact(text) == text


@pytest.mark.parametrize("text", _TEXTS["kept"])
def test_other_texts_stay(text: str) -> None:
    assert redact(text) == text


def test_the_secrets_of_a_body_are_known() -> None:
    body = {"properties": {"triggerUri": "u-1", "list": [{"sasUri": "u-2"}], "query": "T | where triggerUri == 1"}}
    assert sorted(secrets_of(body)) == ["u-1", "u-2"]


def test_a_nested_error_without_end_is_read_up_to_a_depth() -> None:
    level: dict[str, Any] = {"code": "a", "message": "b"}
    level["innererror"] = level
    facts = facts_of({"error": level}, Facts("x", status=400))
    assert (facts.code, facts.message) == ("a", "b")
