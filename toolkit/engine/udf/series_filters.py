"""Filters and Fourier transforms of series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.engine.udf.series_numbers import reals, refused, text_of

if TYPE_CHECKING:
    from toolkit.engine.udf.series_numbers import Reals


def fir(series: str | None, coefficients: str | None, normalize: bool | None, center: bool | None) -> str | None:
    """Y[i] = sum of b[k] X[i-k]; what lies before the series is 0.

    `normalize` None: as the documentation defaults it, unless a coefficient is negative. A centred filter looks as far
    ahead as back.
    """
    import numpy as np

    values, filters = reals(series), reals(coefficients)
    if values is None or filters is None or not len(filters):
        return None
    negative = bool((filters < 0).any())
    if normalize is None:
        normalize = not negative
    if normalize and negative:
        return None
    if normalize:
        total = filters.sum()
        if total == 0:
            return None
        filters = filters / total
    ahead = 0
    if center:
        if len(filters) % 2 == 0:
            raise refused("series_fir: on which side a centred filter of even length looks further is not documented")
        ahead = len(filters) // 2
    if not len(values):
        return "[]"
    padded = np.concatenate([values, np.zeros(ahead)])
    return text_of(np.convolve(padded, filters)[ahead : ahead + len(values)])


def fft(real: str | None, imaginary: str | None) -> list[str | None] | None:
    return _transformed(real, imaginary, inverse=False)


def ifft(real: str | None, imaginary: str | None) -> list[str | None] | None:
    return _transformed(real, imaginary, inverse=True)


def _transformed(real: str | None, imaginary: str | None, *, inverse: bool) -> list[str | None] | None:
    """[real parts, imaginary parts]; without imaginary parts they are 0."""
    import numpy as np

    values = reals(real)
    other: Reals | None = None if values is None else np.zeros(len(values)) if imaginary is None else reals(imaginary)
    if values is None or other is None or len(values) != len(other):
        return None
    if not len(values):
        return ["[]", "[]"]
    found = (np.fft.ifft if inverse else np.fft.fft)(values + 1j * other)
    return [text_of(found.real), text_of(found.imag)]
