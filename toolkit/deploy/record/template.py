"""A value half done: what is final, and the gaps in which learned names are looked for once all values are seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


class Gap(str):
    """Text of the original that nothing was found in yet."""

    __slots__ = ()


class Kept(str):
    """Text that was recognized and stays: neither replaced nor searched for names."""

    __slots__ = ()


@dataclass(slots=True)
class Quoted:
    """A string inside JSON text: its token as it stands, what it says, and the parts it becomes."""

    token: str
    value: str
    parts: list[Part]
    path: str


Part = Union[str, Gap, Quoted]
