"""A bare HTTP client for the tests of the server itself: no retries, no helpers of Azure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from tests.azure_server.server import AzureServer

VERSIONS = {
    "microsoft.securityinsights": "2025-07-01-preview",
    "savedsearches": "2025-07-01",
    "workbooks": "2023-06-01",
    "scheduledqueryrules": "2023-12-01",
}


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: Any


class Wire:
    """Sends single requests with a token. `@sentinel`, `@workspace` and `@group` stand for the paths of the first site."""

    def __init__(self, server: AzureServer) -> None:
        self.server = server
        address = urlsplit(server.url)
        self.connection = HTTPConnection(str(address.hostname), address.port or 0, timeout=60)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def path(self, text: str, version: str | None = None) -> str:
        """The full path with an api-version: the usual one of the resource, or the one that is given ("": none)."""
        if text.startswith("http"):
            return text.removeprefix(self.server.url)
        site = self.server.site()
        for name, place in (("@sentinel", site.sentinel), ("@workspace", site.id), ("@group", self.server.group().id)):
            text = text.replace(name, place)
        if text.startswith("/v1/"):
            return text.replace("@customer", site.customer_id)
        usual = next((found for key, found in VERSIONS.items() if key in text.casefold()), "2025-07-01")
        path, _, query = text.partition("?")
        options = [option for option in (query, f"api-version={usual if version is None else version}") if option and option[-1] != "="]
        return quote(path, safe="/$") + ("?" + "&".join(options) if options else "")

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        version: str | None = None,
    ) -> Answer:
        given = {"Authorization": "Bearer local", "Content-Type": "application/json", **(headers or {})}
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        self.connection.request(method, self.path(path, version), content, given)
        response = self.connection.getresponse()
        text = response.read()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, json.loads(text) if text else None)
