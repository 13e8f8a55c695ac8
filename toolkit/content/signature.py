"""The parameters of a saved function as Azure writes them: `a:string, b:long=5`."""

from __future__ import annotations

_OPEN, _CLOSE = "([{", ")]}"


def constants(signature: str) -> str | None:
    """Statements that give the parameters of a function constant values; None for one that takes a table."""
    parameters = split_signature(signature)
    if any(kind.startswith("(") for _, kind, _ in parameters):
        return None
    return "".join(f"let {name}={_value(kind, default)};" for name, kind, default in parameters)


def split_signature(text: str) -> list[tuple[str, str, str | None]]:
    """`a:string, b:long=5` as (name, type, default) each."""
    parts: list[str] = []
    depth, quote, start = 0, "", 0
    for at, char in enumerate(text):
        if quote:
            quote = "" if char == quote and text[at - 1] != "\\" else quote
        elif char in "'\"":
            quote = char
        elif char in _OPEN or char in _CLOSE:
            depth += 1 if char in _OPEN else -1
        elif char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [_parameter(part) for part in [*parts, text[start:]] if part.strip()]


def _parameter(text: str) -> tuple[str, str, str | None]:
    name, _, rest = text.partition(":")
    kind, equals, default = rest.partition("=")
    return name.strip(), kind.strip() or "string", default.strip() if equals else None


def _value(kind: str, default: str | None) -> str:
    if default is not None:
        return default
    return "''" if kind == "string" else f"{kind}(null)"
