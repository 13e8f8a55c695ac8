"""JSON text, string by string: everything between the strings stays as it stands, digit for digit and blank for blank."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from toolkit.deploy.record.fields import Field, field_of
from toolkit.deploy.record.template import Part, Quoted
from toolkit.deploy.record.values import Values
from toolkit.deploy.record.words import Words

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]|-?\d[\d.eE+-]*', re.DOTALL)
_KUBERNETES_SECRET = re.compile(r'"kind"\s*:\s*"Secret(?:List)?"')
_SECRET_DATA = frozenset(("data", "stringData"))
_DEEPEST = 16
"""JSON inside strings inside JSON is followed this deep."""

Seen = Callable[[str, str, list[str]], None]
"""Told of a path, a gap at it, and the learned names that were found in the gap."""


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or array."""
    if not text or (text[0] not in "{[" and (not text[0].isspace() or text.lstrip()[:1] not in ("{", "["))):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


class JsonValues:
    """Texts to parts, JSON in them included."""

    def __init__(self, values: Values) -> None:
        self._values = values

    def text(self, text: str, field: Field, path: str, times: int, depth: int = 0) -> list[Part]:
        """A text of any kind: of a string column, or a string in JSON."""
        if depth < _DEEPEST and field is not Field.SECRET and is_json(text):
            return self.json(text, field, path, times, depth)
        return self._values.parts(text, field, path, times)

    def name(self, column: str) -> str:
        """The name of a column that no schema knows."""
        return self._values.name(column, "(names of columns)")

    def number(self, text: str, field: Field, path: str) -> str:
        """A whole number of a column."""
        return self._values.number(text, field, path, 1)

    def json(self, text: str, field: Field, path: str, times: int, depth: int = 0) -> list[Part]:
        """Valid JSON. `field` is what strings outside of any object are."""
        secrets = _KUBERNETES_SECRET.search(text) is not None
        parts: list[Part] = []
        places: list[_Place] = [_Place(field, path, is_object=False)]
        last = 0
        for match in _TOKEN.finditer(text):
            token, here = match[0], places[-1]
            first = token[0]
            if first in "{[":
                places.append(here.inside(is_object=first == "{", secrets=secrets))
            elif first in "}]":
                places.pop()
            elif first == ",":
                here.wants_key = here.is_object
            elif first == '"' and here.wants_key:
                key = _said(token)
                fresh_key = self._values.name(key, here.base, times)
                here.name(key, fresh_key)
                if fresh_key != key:
                    parts += [text[last : match.start()], json.dumps(fresh_key, ensure_ascii="\\u" in token)]
                    last = match.end()
            elif first == '"':
                value = _said(token)
                found = self.text(value, here.field, here.path, times, depth + 1)
                if len(found) != 1 or type(found[0]) is not str or found[0] != value:
                    parts += [text[last : match.start()], Quoted(token, value, found, here.path)]
                    last = match.end()
            elif (fresh := self._values.number(token, here.field, here.path, times)) != token:
                parts += [text[last : match.start()], fresh]
                last = match.end()
        parts.append(text[last:])
        return parts


class _Place:
    """Where a token stands: in an object under a key, in an array, or outside of both."""

    __slots__ = ("_secret", "base", "field", "is_object", "path", "wants_key")

    def __init__(self, field: Field, path: str, *, is_object: bool, secret: bool = False) -> None:
        self.field, self.path, self.is_object, self.wants_key = field, path, is_object, is_object
        self.base, self._secret = path, secret

    def name(self, key: str, shown: str) -> None:
        self.field = Field.SECRET if self._secret else field_of(key)
        self.path, self.wants_key = f"{self.base}.{shown}", False

    def inside(self, *, is_object: bool, secrets: bool) -> _Place:
        key = self.path.rpartition(".")[2]
        secret = self._secret or (secrets and is_object and key in _SECRET_DATA)
        if is_object:
            return _Place(Field.SECRET if secret else Field.OPEN, self.path, is_object=True, secret=secret)
        return _Place(self.field, f"{self.path}[]", is_object=False, secret=secret)


def _said(token: str) -> str:
    if "\\" not in token:
        return token[1:-1]
    said: str = json.loads(token, strict=False)
    return said


def render(parts: list[Part], path: str, words: Words, seen: Seen) -> str:
    """The final text. `seen` is told of every gap and of the names that were found in it."""
    out: list[str] = []
    for part in parts:
        if type(part) is str:
            out.append(part)
        elif isinstance(part, Quoted):
            fresh = render(part.parts, part.path, words, seen)
            out.append(part.token if fresh == part.value else json.dumps(fresh, ensure_ascii="\\u" in part.token))
        else:
            fresh, hits = words.replace(part)
            seen(path, part, hits)
            out.append(fresh)
    return out[0] if len(out) == 1 else "".join(out)
