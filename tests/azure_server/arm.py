"""What all resources of the resource manager share: bodies, preconditions, paging, durations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import quote, urlencode

from tests.azure_server.messages import Response, ServiceError, bad_request
from tests.azure_server.state import Call, Collection

_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.0+)?S)?)?")


def body_of(call: Call) -> dict[str, Any]:
    """The body, which has to be a JSON object."""
    body = call.request.body
    if not isinstance(body, dict):
        raise ServiceError(
            400, "InvalidRequestContent", "The request content was invalid and could not be deserialized: expected an object."
        )
    return body


def properties_of(call: Call) -> dict[str, Any]:
    found = body_of(call).get("properties")
    if not isinstance(found, dict):
        raise bad_request("The request body must have an object 'properties'.")
    return found


def require(properties: Mapping[str, Any], names: Iterable[str]) -> None:
    """Every named property has to be there and not null or blank."""
    missing = [name for name in names if properties.get(name) in (None, "")]
    if missing:
        raise bad_request(f"Required property '{missing[0]}' not found in JSON. Path 'properties'.")


def parse_duration(value: Any) -> timedelta | None:
    """An ISO 8601 duration as .NET reads it (no weeks), or None."""
    match = _ISO.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def show_duration(value: timedelta) -> str:
    """As .NET writes a TimeSpan: the largest units first, PT60M is PT1H and PT24H is P1D."""
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = "".join(f"{number}{unit}" for number, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if number)
    days = f"{value.days}D" if value.days else ""
    return f"P{days}T{clock}" if clock else f"P{days}" if days else "PT0S"


def same_etag(given: str, current: str) -> bool:
    """Etags are compared without quotes; `*` stands for whatever there is."""
    return given == "*" or given.strip('"') == current.strip('"')


def check_headers(call: Call, known: Mapping[str, Any] | None) -> None:
    """If-Match and If-None-Match; a violated one gets 412."""
    current = known["etag"] if known else None
    expected, unwanted = call.request.headers.get("if-match"), call.request.headers.get("if-none-match")
    failed = (expected is not None and (current is None or not same_etag(expected, current))) or (unwanted == "*" and current is not None)
    if failed:
        raise ServiceError(412, "PreconditionFailed", "The condition specified using HTTP conditional header(s) is not met.")


def page(call: Call, items: Collection, show: Callable[[dict[str, Any]], dict[str, Any] | None]) -> Response:
    """One page of a list. `show` leaves an item out by giving None; the link to the next page is absolute.

    The token is the number of the last item of the page, so that deletions between two pages hide nothing.
    """
    after = int(call.request.option("$skipToken") or 0)
    size = call.account.behaviour.page_size
    if top := call.request.option("$top"):
        size = min(size, int(top))
    left = ((number, public) for number, item in items.numbered() if number > after and (public := show(item)) is not None)
    shown = list(islice(left, size + 1))
    body: dict[str, Any] = {"value": [public for _, public in shown[:size]]}
    if len(shown) > size:
        others = {key: value for key, value in call.request.query.items() if key.casefold() != "$skiptoken"}
        query = urlencode({**others, "$skipToken": shown[size - 1][0]}, quote_via=quote)
        body["nextLink"] = f"{call.request.base}{quote(call.request.path)}?{query}"
    return Response(200, body)
