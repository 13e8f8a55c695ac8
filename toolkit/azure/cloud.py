"""Where Azure is: endpoints, token scopes and sign-in authorities of the public and the sovereign clouds.

An endpoint that is none of Microsoft's gets tokens for itself only: a token for Microsoft's Resource Manager is never
sent to a host that a settings file names. Plain http is for this machine's loopback addresses, where tests listen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from urllib.parse import urlsplit

from toolkit.kql.diagnostics import ToolkitError, suggestion


class CloudSettingError(ToolkitError):
    """A cloud's name or an endpoint that cannot be used."""


@dataclass(frozen=True)
class Cloud:
    """One Azure cloud.

    `resource_manager` and `logs` are origins without a trailing slash, `authority` is the host that signs in,
    `*_scope` are what tokens are asked for.
    """

    name: str
    resource_manager: str
    logs: str
    authority: str
    resource_manager_scope: str
    logs_scope: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "resource_manager", endpoint(self.resource_manager))
        object.__setattr__(self, "logs", endpoint(self.logs))

    def at(self, *, resource_manager: str | None = None, logs: str | None = None) -> Cloud:
        """The same cloud with other endpoints, each with a token scope of its own."""
        found = self
        if resource_manager is not None:
            found = replace(found, resource_manager=resource_manager, resource_manager_scope=_own_scope(resource_manager))
        if logs is not None:
            # The query API's address may be given with its version, as Microsoft's client takes it.
            logs = endpoint(logs).removesuffix("/v1")
            found = replace(found, logs=logs, logs_scope=_own_scope(logs))
        return found


def _own_scope(text: str) -> str:
    return f"{endpoint(text)}/.default"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def endpoint(text: str) -> str:
    """An endpoint without its trailing slash. CloudSettingError for what is no https address (or http on loopback)."""
    text = text.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise CloudSettingError(
            "endpoint: expected an address such as https://management.azure.com, found one that cannot be read"
        ) from None
    if parts.username is not None or parts.password is not None:
        raise CloudSettingError(
            f"endpoint: expected an address without a user name or password in front of {host!r}; sign-in has its own settings"
        )
    if not host or parts.scheme not in ("https", "http") or parts.query or parts.fragment:
        raise CloudSettingError(
            f"endpoint: expected an address such as https://management.azure.com, found {parts.scheme}://{host}{parts.path}"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise CloudSettingError(
            f"endpoint: expected https, found http://{host}; http is for loopback addresses only, a token would be readable"
        )
    return text


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an absolute URL, as they are compared before a token is sent. ValueError when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username is not None:
        raise ValueError("not an absolute http address")
    return parts.scheme, parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80)


def _microsoft(name: str, resource_manager: str, logs: str, authority: str) -> Cloud:
    return Cloud(name, resource_manager, logs, authority, f"{resource_manager}/.default", f"{logs}/.default")


PUBLIC = _microsoft("public", "https://management.azure.com", "https://api.loganalytics.io", "login.microsoftonline.com")
US_GOVERNMENT = _microsoft("usgov", "https://management.usgovcloudapi.net", "https://api.loganalytics.us", "login.microsoftonline.us")
CHINA = _microsoft("china", "https://management.chinacloudapi.cn", "https://api.loganalytics.azure.cn", "login.chinacloudapi.cn")

CLOUDS = {cloud.name: cloud for cloud in (PUBLIC, US_GOVERNMENT, CHINA)}
"""The clouds by the name that a settings file uses."""


def cloud_named(name: str) -> Cloud:
    """The cloud of a settings file's name, in any case of letters."""
    found = CLOUDS.get(name.strip().lower())
    if found is None:
        hint = " ".join(suggestion(name, CLOUDS))
        raise CloudSettingError(f"cloud: expected one of {', '.join(CLOUDS)}, found {name!r}. {hint}".rstrip())
    return found
