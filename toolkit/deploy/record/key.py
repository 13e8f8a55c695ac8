"""The secret that pseudonyms hang on: keyed digests, and permutations of whole numbers made of them."""

from __future__ import annotations

import hmac

from toolkit.kql.diagnostics import ToolkitError

_SHORTEST = 16
_WIDE = 96
"""Bits from which on four rounds of a Feistel network are enough; narrow ones take ten."""


class RecordKeyError(ToolkitError):
    """A key that cannot be used. The text never holds the key."""


class Key:
    """HMAC-SHA-256 under one secret. Same secret, same pseudonyms; it is in no text that this class gives."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SHORTEST:
            raise RecordKeyError(f"key: expected {_SHORTEST} bytes or more, found {len(secret)}")
        self._secret = secret

    def __repr__(self) -> str:
        return f"<Key {self.fingerprint}>"

    def digest(self, purpose: str, data: bytes) -> bytes:
        """32 bytes that nobody without the secret can tell from random ones."""
        return hmac.digest(self._secret, purpose.encode() + b"\0" + data, "sha256")

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits that tell keys apart and say nothing about them."""
        return self.digest("fingerprint", b"").hex()[:8]

    def permute(self, purpose: str, number: int, size: int) -> int:
        """Where a permutation of range(size) takes `number`: different numbers never meet.

        A Feistel network over the next even number of bits, walked until it is back inside the range.
        """
        half = max(1, ((size - 1).bit_length() + 1) // 2)
        mask = (1 << half) - 1
        rounds = 4 if 2 * half >= _WIDE else 10
        length = (half + 7) // 8
        while True:
            left, right = number >> half, number & mask
            for turn in range(rounds):
                pad = int.from_bytes(self.digest(f"{purpose}/{turn}", right.to_bytes(length)))
                left, right = right, left ^ (pad & mask)
            number = left << half | right
            if number < size:
                return number
