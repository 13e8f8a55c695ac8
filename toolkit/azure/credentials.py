"""Tokens: from azure-identity (the extra `[azure]`), or any object that azure-core takes as a credential.

A token is in the request's Authorization header and nowhere else: what hands it out is remembered only to remove it from
texts, and never shown.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from azure.core.credentials import AccessTokenInfo, TokenCredential, TokenRequestOptions

from toolkit.azure.cloud import Cloud
from toolkit.azure.errors import AuthenticationError, Facts

_REFRESH_SECONDS = 300
_REMEMBERED = 20


class MissingIdentityError(AuthenticationError):
    """azure-identity is not installed."""

    expected = "the package azure-identity"
    advice = "Install the toolkit with its extra: pip install 'toolkit[azure]'."


def default_credential(cloud: Cloud) -> TokenCredential:
    """Whoever is signed in on this machine or in CI: environment, workload or managed identity, Azure CLI.

    MissingIdentityError without azure-identity. Nothing is asked of Azure before the first request.
    """
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise MissingIdentityError(Facts("signing in needs the package azure-identity, which is not installed")) from None
    # Without any handler Python prints azure-identity's warnings: every way of signing in that failed, once per thread.
    logging.getLogger("azure.identity").addHandler(logging.NullHandler())
    credential: TokenCredential = DefaultAzureCredential(authority=cloud.authority, exclude_interactive_browser_credential=True)
    return credential


class StaticCredential:
    """One given token that does not expire, for a local server."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token_info(self, *_scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        return AccessTokenInfo(self._token, int(time.time()) + 86_400)

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        return self.get_token_info()

    def __repr__(self) -> str:
        return "<StaticCredential>"


class GuardedCredential:
    """A credential that many threads ask: one of them fetches, all get the same token until shortly before it ends."""

    def __init__(self, credential: Any, wall_clock: Callable[[], float] = time.time) -> None:
        self._credential = credential
        self._now = wall_clock
        self._lock = threading.Lock()
        self._tokens: dict[tuple[str, ...], AccessTokenInfo] = {}
        self._handed_out: list[str] = []

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        with self._lock:
            found = self._tokens.get(scopes)
            # A challenge (continuous access evaluation) asks for a new token whatever the old one's age.
            if options or found is None or found.expires_on - _REFRESH_SECONDS <= self._now():
                found = self._tokens[scopes] = self._fetch(scopes, options or {})
                self._handed_out = [*self._handed_out[-_REMEMBERED:], found.token]
            return found

    def get_token(self, *scopes: str, **_options: Any) -> Any:
        return self.get_token_info(*scopes)

    def _fetch(self, scopes: tuple[str, ...], options: TokenRequestOptions) -> AccessTokenInfo:
        if hasattr(self._credential, "get_token_info"):
            info: AccessTokenInfo = self._credential.get_token_info(*scopes, options=options)
            return info
        token = self._credential.get_token(*scopes, **options)
        return AccessTokenInfo(token.token, token.expires_on)

    def handed_out(self) -> tuple[str, ...]:
        """The last tokens, for removing them from texts."""
        return tuple(self._handed_out)

    def __repr__(self) -> str:
        return "<GuardedCredential>"
