"""Parsers of texts into dynamics (R-157 to R-163). Results are compact JSON text, None for null."""

from __future__ import annotations

import re
from typing import Any
from xml.parsers import expat

from toolkit.engine.udf.strings import json_text

_LARGEST_XML = 1024 * 1024
_DEEPEST_XML = 200
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://", re.ASCII)
_PORT = re.compile(r"(?P<host>.*?)(?::(?P<port>[0-9]*))?", re.ASCII | re.DOTALL)


# --- URLs -----------------------------------------------------------------------------------------------------------


def _query_bag(query: str) -> dict[str, Any]:
    """Keys sorted; a repeated key has an array; without key or value nothing is kept. Nothing is decoded."""
    values: dict[str, list[str]] = {}
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key and value:
            values.setdefault(key, []).append(value)
    return {key: found[0] if len(found) == 1 else found for key, found in sorted(values.items())}


def parse_url(url: str) -> str:
    """R-157, R-348: always all parts; a path with its slash; user information only where it has a colon; a lone last slash is no path."""
    parts: dict[str, Any] = dict.fromkeys(("Scheme", "Host", "Port", "Path", "Username", "Password"), "")
    parts |= {"Query Parameters": {}, "Fragment": ""}
    scheme = _SCHEME.match(url)
    if scheme is None:
        return json_text(parts)
    rest, hash_mark, fragment = url[scheme.end() :].partition("#")
    rest, mark, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    user, at, server = authority.rpartition("@")
    if at and ":" in user:
        parts["Username"], _, parts["Password"] = user.partition(":")
    else:
        server = authority
    if server.startswith("[") and "]" in server:
        end = server.index("]") + 1
        host, port = server[:end], server[end:].removeprefix(":")
    else:
        found = _PORT.fullmatch(server)
        host, port = (found["host"], found["port"] or "") if found else (server, "")
    full_path = slash + path
    parts |= {
        "Scheme": scheme[1],
        "Host": host,
        "Port": port,
        "Path": "" if full_path == "/" and not mark and not hash_mark else full_path,
        "Query Parameters": _query_bag(query),
        "Fragment": fragment,
    }
    return json_text(parts)


def parse_urlquery(query: str) -> str:
    return json_text({"Query Parameters": _query_bag(query.removeprefix("?"))})


_VERSION = re.compile(r"[0-9]{1,8}(?:\.[0-9]{1,8}){0,3}", re.ASCII)


def parse_version(text: str) -> str | None:
    """R-163: one to four numbers of up to eight digits, side by side in one; those that are missing are 0."""
    if _VERSION.fullmatch(text) is None:
        return None
    parts = text.split(".")
    return "".join(part.rjust(8, "0") for part in (*parts, *("0" * (4 - len(parts)))))


# --- paths, records, command lines ----------------------------------------------------------------------------------


def parse_path(path: str) -> str:
    """R-158: Windows, UNC, URI and POSIX forms."""
    scheme, rest = "", path
    found = re.match(r"([A-Za-z][A-Za-z0-9+.\-]+)://", path, re.ASCII)
    if found:
        scheme, rest = found[1], path[found.end() :]
    long_prefix = "\\\\?\\" if rest.startswith("\\\\?\\") else ""
    drive = re.match(r"[A-Za-z]:", rest[len(long_prefix) :], re.ASCII)
    root = drive[0] if drive else ""
    head = len(long_prefix) + len(root)
    cut = max(rest.rfind("/"), rest.rfind("\\"))
    directory, name = (rest[:cut], rest[cut + 1 :]) if cut >= 0 else (rest[:head], rest[head:])
    name, _, stream = name.partition(":")
    last = max(directory.rfind("/"), directory.rfind("\\"))
    directory_name = directory[last + 1 :]
    extension = name.rpartition(".")[2] if "." in name else ""
    return json_text(
        {
            "Scheme": scheme,
            "RootPath": root,
            "DirectoryPath": directory,
            "DirectoryName": "" if directory_name == root else directory_name,
            "Filename": name,
            "Extension": extension,
            "AlternateDataStreamName": stream,
        }
    )


def parse_csv(text: str) -> str:
    """R-159: the first record, with RFC 4180 quotes."""
    fields: list[str] = []
    current: list[str] = []
    quoted, at = False, 0
    while at < len(text):
        char = text[at]
        if quoted:
            if char == '"' and text[at + 1 : at + 2] == '"':
                current.append(char)
                at += 1
            elif char == '"':
                quoted = False
            else:
                current.append(char)
        elif char == '"' and not current:
            quoted = True
        elif char == ",":
            fields.append("".join(current))
            current = []
        elif char in "\r\n":
            break
        else:
            current.append(char)
        at += 1
    return json_text([*fields, "".join(current)])


def parse_command_line(line: str) -> str | None:
    """R-160: the arguments as Windows' CommandLineToArgvW splits them; an empty line has none."""
    text = line.strip(" \t")
    if not text:
        return None
    first, rest = _program(text)
    return json_text([first, *_windows_arguments(rest)])


def _program(text: str) -> tuple[str, str]:
    """The first argument follows simpler rules: quotes delimit it and backslashes are ordinary."""
    if text.startswith('"'):
        name, _, rest = text[1:].partition('"')
        return name, rest
    end = next((index for index, char in enumerate(text) if char in " \t"), len(text))
    return text[:end], text[end:]


def _windows_arguments(text: str) -> list[str]:
    """`quotes` is 1 inside quotes; of a run of quotes, every third is a character of its own."""
    done: list[str] = []
    current: list[str] | None = None
    quotes, at = 0, 0
    while at < len(text):
        char = text[at]
        if char in " \t" and not quotes:
            if current is not None:
                done.append("".join(current))
                current = None
            at += 1
            continue
        current = [] if current is None else current
        end = at
        while text[end : end + 1] == "\\":
            end += 1
        if text[end : end + 1] == '"':
            current.append("\\" * ((end - at) // 2))
            at, quotes = _quote_run(text, end, quotes, (end - at) % 2 == 1, current)
        elif end > at:
            current.append(text[at:end])
            at = end
        else:
            current.append(char)
            at += 1
    if current is not None:
        done.append("".join(current))
    return done


def _quote_run(text: str, at: int, quotes: int, escaped: bool, current: list[str]) -> tuple[int, int]:
    """The position after the quotes at `at`, and whether a quotation is open then."""
    if escaped:
        current.append('"')
    else:
        quotes += 1
    at += 1
    while text[at : at + 1] == '"':
        quotes += 1
        if quotes == 3:
            current.append('"')
            quotes = 0
        at += 1
    return at, 0 if quotes == 2 else quotes


# --- XML ------------------------------------------------------------------------------------------------------------


class _XmlReader:
    """Builds the JSON of R-161: attributes as @name, text as #text beside them, repeated elements as an array."""

    def __init__(self) -> None:
        self.stack: list[tuple[str, dict[str, Any], list[str]]] = []
        self.result: dict[str, Any] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.stack) >= _DEEPEST_XML:
            raise ValueError("kql:an XML document is nested too deeply")
        self.stack.append((name, {"@" + key: value for key, value in attributes.items()}, []))

    def text(self, data: str) -> None:
        if self.stack:
            self.stack[-1][2].append(data)

    def end(self, name: str) -> None:
        _, members, texts = self.stack.pop()
        text = "".join(texts).strip()
        value: Any = members
        if not members:
            value = text or None
        elif text:
            attributes = {key: found for key, found in members.items() if key.startswith("@")}
            value = attributes | {"#text": text} | members
        parent = self.stack[-1][1] if self.stack else self.result
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]


def parse_xml(text: str) -> str | None:
    """None when the text is not XML or longer than 1 MB. Entities of a document type are never expanded."""
    if len(text.encode()) > _LARGEST_XML:
        return None
    reader = _XmlReader()
    parser = expat.ParserCreate("utf-8")  # whatever the document says: event logs declare UTF-16, but this is a text already
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = reader.start, reader.end, reader.text
    parser.EntityDeclHandler = _no_entities
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, _EntityError):
        return None
    return json_text(reader.result)


class _EntityError(Exception):
    """A document that declares entities, which could expand without limit."""


def _no_entities(*_: object) -> None:
    raise _EntityError


# --- JSON paths -----------------------------------------------------------------------------------------------------

_STEP = re.compile(r"\.(?P<name>[A-Za-z_@$][\w@$\-]*)|\[(?P<index>-?[0-9]+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]")


def json_path_steps(path: str) -> list[str | int] | None:
    """The steps of `$.a['b'][0]`; None for wildcards and anything else that this is not."""
    if not path.startswith("$"):
        return None
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        steps.append(int(match["index"]) if match["index"] else match["name"] or match["key"])
        at = match.end()
    return steps
