"""Identifiers of a fixed shape: GUIDs, SIDs, digits, access keys, network cards. Where the shape has little room they are
permuted: different ones stay different."""

from __future__ import annotations

import re
from uuid import UUID

from toolkit.deploy.record.key import Key
from toolkit.deploy.record.wellknown import is_well_known_guid

_ACCESS_KEY_PREFIX = 4
_EXAMPLE = "EXAMPLE"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_FIRST_OWN_RID = 1000
_FIXED_PHONE_DIGITS = 2
_KIND = 0xF << 76 | 0x3 << 62
"""The bits of a GUID that say how it was made: version and variant."""


class Identifiers:
    """Pseudonyms of identifiers under one key."""

    def __init__(self, key: Key) -> None:
        self._key = key

    def guid(self, text: str) -> str:
        """Version and variant stay; so do well-known ids. Upper case stays upper case."""
        if is_well_known_guid(text):
            return text
        number = int(text.replace("-", ""), 16)
        fresh = int.from_bytes(self._key.digest("guid", number.to_bytes(16))[:16])  # 122 bits: two do not meet
        found = f"{fresh & ~_KIND | number & _KIND:032x}"
        found = f"{found[:8]}-{found[8:12]}-{found[12:16]}-{found[16:20]}-{found[20:]}"
        return found.upper() if text.isupper() else found

    def sid(self, text: str) -> str:
        """The domain of S-1-5-21-... and a RID from 1000 on; S-1-12-1-..., which is an object id. Others are well known."""
        head, parts = text[:1], text.split("-")[1:]
        if parts[:3] == ["1", "5", "21"] and len(parts) >= 6:
            domain = [str(self._key.permute(f"sid/{place}", int(part) & 0xFFFFFFFF, 1 << 32)) for place, part in enumerate(parts[3:6])]
            return "-".join([head, *parts[:3], *domain, *(self._rid(int(rid)) for rid in parts[6:])])
        if parts[:3] == ["1", "12", "1"] and len(parts) == 7:
            raw = b"".join((int(part) & 0xFFFFFFFF).to_bytes(4, "little") for part in parts[3:])
            mapped = UUID(self.guid(str(UUID(bytes_le=raw)))).bytes_le
            return "-".join([head, *parts[:3], *(str(int.from_bytes(mapped[at : at + 4], "little")) for at in range(0, 16, 4))])
        return text

    def _rid(self, rid: int) -> str:
        if not _FIRST_OWN_RID <= rid < 1 << 32:
            return str(rid)
        return str(_FIRST_OWN_RID + self._key.permute("rid", rid - _FIRST_OWN_RID, (1 << 32) - _FIRST_OWN_RID))

    def digits(self, text: str) -> str:
        """As many digits, as many zeros in front."""
        number = text.lstrip("0")
        if not number:
            return text
        least = 10 ** (len(number) - 1)
        return text[: len(text) - len(number)] + str(least + self._key.permute(f"digits/{len(number)}", int(number) - least, 9 * least))

    def access_key(self, text: str) -> str:
        """AWS's unique ids: what they are for, as many characters, and EXAMPLE at the end, as in AWS's documentation."""
        length = len(text) - _ACCESS_KEY_PREFIX - len(_EXAMPLE)
        digest = self._key.digest("access key", text.encode())
        return text[:_ACCESS_KEY_PREFIX] + "".join(_BASE32[byte & 31] for byte in digest[:length]) + _EXAMPLE

    def mac(self, text: str) -> str:
        """Six bytes in the form of `text`. The two bits for group and local addresses stay, and so do all zeros and all ones."""
        number = int(re.sub(r"[^0-9A-Fa-f]", "", text), 16)
        if number in (0, (1 << 48) - 1):
            return text
        first, rest = number >> 40, number & ((1 << 40) - 1)
        mixed = self._key.permute("mac", (first >> 2) << 40 | rest, 1 << 46)
        first, rest = mixed >> 40 << 2 | first & 3, mixed & ((1 << 40) - 1)
        fresh = iter(f"{first << 40 | rest:012x}" if text == text.lower() else f"{first << 40 | rest:012X}")
        return re.sub(r"[0-9A-Fa-f]", lambda _: next(fresh), text)

    def phone(self, text: str) -> str:
        """Its first two digits, and as many others in the same places."""
        number = re.sub(r"\D", "", text)
        head, rest = number[:_FIXED_PHONE_DIGITS], number[_FIXED_PHONE_DIGITS:]
        if not rest:
            return text
        mapped = self._key.permute(f"phone/{head}/{len(rest)}", int(rest), 10 ** len(rest))
        fresh = iter(f"{head}{mapped:0{len(rest)}}")
        return re.sub(r"\d", lambda _: next(fresh), text)
