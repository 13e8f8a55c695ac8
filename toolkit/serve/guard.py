"""Who may ask: checks of the host, the origin and the token, before anything of a request is read.

The threat is a web page. A browser lets any page send requests to an address of the machine it runs on, and a name that is
rebound to 127.0.0.1 makes them same-origin. Therefore: on the loopback interface only its own names are hosts; a request with
an Origin is refused unless that origin is allowed; everywhere else a token is needed, which no page has.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

ADX_ORIGINS = ("https://dataexplorer.azure.com", "https://dataexplorer.azure.us", "https://dataexplorer.azure.cn")
"""The web UI of Azure Data Explorer, by cloud."""

_PREFLIGHT_SECONDS = "600"


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let in."""

    status: int
    message: str


@dataclass(frozen=True)
class Guard:
    """The rules of one server. `token`: what a request has to bring, None for none. `local`: it listens on loopback only."""

    local: bool = True
    token: str | None = None
    origins: tuple[str, ...] = ()

    def refusal(self, method: str, headers: Mapping[str, str]) -> Refusal | None:
        """Why a request is refused, None when it may go on. A preflight brings no token."""
        if self.local and not is_loopback(_name(headers.get("host", ""))):
            return Refusal(403, "This server listens on this machine only: ask it as 127.0.0.1 or localhost.")
        origin = headers.get("origin")
        if origin is not None and origin not in self.origins:
            return Refusal(403, f"Requests of web pages are refused. `--allow-origin {origin}` would let this one in.")
        if origin is None and headers.get("sec-fetch-site") in ("cross-site", "same-site"):  # a page on another port
            return Refusal(403, "Requests of web pages are refused.")
        if self.token is not None and not (method == "OPTIONS" and origin is not None) and not self._has_token(headers):
            return Refusal(401, "Expected the server's token: Authorization: Bearer <token>.")
        return None

    def _has_token(self, headers: Mapping[str, str]) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        expected = (self.token or "").encode()
        return hmac.compare_digest(given.strip().encode(), expected) and scheme.casefold() == "bearer"

    def cors(self, headers: Mapping[str, str], *, preflight: bool = False) -> dict[str, str]:
        """The headers that let an allowed page read the answer."""
        origin = headers.get("origin")
        if origin is None or origin not in self.origins:
            return {}
        found = {"access-control-allow-origin": origin, "access-control-allow-credentials": "true", "vary": "Origin"}
        if not preflight:
            return {**found, "access-control-expose-headers": "x-ms-client-request-id, x-ms-activity-id"}
        found["access-control-allow-methods"] = "GET, POST, OPTIONS"
        found["access-control-max-age"] = _PREFLIGHT_SECONDS
        # The page's own list comes back: naming a header lets nobody in, and a list of ours would miss the next one.
        found["access-control-allow-headers"] = headers.get("access-control-request-headers", "authorization, content-type")
        if headers.get("access-control-request-private-network") == "true":
            found["access-control-allow-private-network"] = "true"
        return found


def _name(host: str) -> str:
    """The host of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host
