"""Random numbers by compiled loops: the ziggurat method on SFC64, as NumPy has them.

The same state gives the same bits as NumPy's generator, in a third to a half of the time,
since the generator is inlined. Only gamma numbers of a shape below 1 are made in another
way (``gammas``). What NumPy may change from version to version stays as it is here.

A generator's state are the four words of SFC64 (Doty-Humphrey, C. (2014). PractRand),
in an array that is moved on. Within a loop they stay in registers, so that each step
takes four words and returns four: any store into the output could change the array.

References
----------
Marsaglia, G. and Tsang, W. W. (2000). The ziggurat method for generating random
variables. Journal of Statistical Software 5(8).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from costsim.traffic.compiled import compiled, inlined, seldom

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy.typing as npt

    from costsim.records import Floats

    Word: TypeAlias = np.uint64
    Words: TypeAlias = npt.NDArray[np.uint64]
    Drawn: TypeAlias = tuple[float, Word, Word, Word, Word]

# A literal would be signed, and signed with unsigned makes floats.
_1, _3, _8, _11 = np.uint64(1), np.uint64(3), np.uint64(8), np.uint64(11)
_24, _40 = np.uint64(24), np.uint64(40)
_STRIP = np.uint64(255)
_52_BITS = np.uint64(2**52 - 1)
_UNIT = 2.0**-53

# Where the last strip of the ziggurat ends and the tail begins, and for the normal
# distribution the inverse.
_EXPONENTIAL_END = 7.69711747013104972
_NORMAL_END = 3.654152885361008796
_NORMAL_END_INVERSE = 0.27366123732975828
_INSIDE, _SCALE, _HEIGHT = 0, 1, 2
"""Columns of the tables."""


@inlined
def _next(
    a: Word, b: Word, c: Word, count: Word
) -> tuple[Word, Word, Word, Word, Word]:
    """Return 64 random bits, and the generator's words after them."""
    bits = a + b + count
    turned = (c << _24) | (c >> _40)
    return bits, b ^ (b >> _11), c + (c << _3), turned + bits, count + _1


@inlined
def _unit(bits: Word) -> float:
    """Return a number in [0, 1)."""
    return np.float64(bits >> _11) * _UNIT


@seldom
def _exponential_outside(
    x: float,
    strip: Word,
    table: Floats,
    a: Word,
    b: Word,
    c: Word,
    count: Word,
) -> Drawn:
    """Decide on an x that is not in its strip's inner part; 2.2 % are not."""
    while True:
        bits, a, b, c, count = _next(a, b, c, count)
        if strip == 0:
            return _EXPONENTIAL_END - math.log1p(-_unit(bits)), a, b, c, count
        height = table[strip, _HEIGHT]
        above = table[strip - _1, _HEIGHT] - height
        if above * _unit(bits) + height < math.exp(-x):
            return x, a, b, c, count
        bits, a, b, c, count = _next(a, b, c, count)
        strip = (bits >> _3) & _STRIP
        whole = np.float64(np.int64(bits >> _11))
        x = whole * table[strip, _SCALE]
        if whole < table[strip, _INSIDE]:
            return x, a, b, c, count


@inlined
def _exponential(table: Floats, a: Word, b: Word, c: Word, count: Word) -> Drawn:
    """Return an exponential number of mean 1."""
    bits, a, b, c, count = _next(a, b, c, count)
    strip = (bits >> _3) & _STRIP
    # Through a signed integer, for which the processor has an instruction.
    whole = np.float64(np.int64(bits >> _11))
    x = whole * table[strip, _SCALE]
    if whole < table[strip, _INSIDE]:
        return x, a, b, c, count
    return _exponential_outside(x, strip, table, a, b, c, count)


@seldom
def _normal_tail(a: Word, b: Word, c: Word, count: Word) -> Drawn:
    """Return a normal number beyond the last strip, without its sign."""
    while True:
        bits, a, b, c, count = _next(a, b, c, count)
        beyond = -_NORMAL_END_INVERSE * math.log1p(-_unit(bits))
        bits, a, b, c, count = _next(a, b, c, count)
        y = -math.log1p(-_unit(bits))
        if y + y > beyond * beyond:
            return _NORMAL_END + beyond, a, b, c, count


@seldom
def _normal_outside(
    x: float,
    drawn: Word,
    table: Floats,
    a: Word,
    b: Word,
    c: Word,
    count: Word,
) -> Drawn:
    """Decide on an x that is not in its strip's inner part; 1.5 % are not."""
    while True:
        strip = drawn & _STRIP
        if strip == 0:
            x, a, b, c, count = _normal_tail(a, b, c, count)
            negative = (drawn >> np.uint64(17)) & _1
            return (-x if negative else x), a, b, c, count
        bits, a, b, c, count = _next(a, b, c, count)
        height = table[strip, _HEIGHT]
        above = table[strip - _1, _HEIGHT] - height
        if above * _unit(bits) + height < math.exp(-0.5 * x * x):
            return x, a, b, c, count
        drawn, a, b, c, count = _next(a, b, c, count)
        x, inside = _normal_in_strip(drawn, table)
        if inside:
            return x, a, b, c, count


@inlined
def _normal_in_strip(drawn: Word, table: Floats) -> tuple[float, bool]:
    """Return the x of 64 bits (8 strip, 1 sign, 52 place), and if it is surely right."""
    strip = drawn & _STRIP
    whole = np.float64(np.int64((drawn >> np.uint64(9)) & _52_BITS))
    # Multiplied by the sign: a branch on it would be mispredicted half of the time.
    sign = 1.0 - 2.0 * np.float64(np.int64((drawn >> _8) & _1))
    return whole * table[strip, _SCALE] * sign, whole < table[strip, _INSIDE]


@inlined
def _normal(table: Floats, a: Word, b: Word, c: Word, count: Word) -> Drawn:
    """Return a standard normal number."""
    drawn, a, b, c, count = _next(a, b, c, count)
    x, inside = _normal_in_strip(drawn, table)
    if inside:
        return x, a, b, c, count
    return _normal_outside(x, drawn, table, a, b, c, count)


@inlined
def _gamma(
    shape: float,
    table: Floats,
    a: Word,
    b: Word,
    c: Word,
    count: Word,
) -> Drawn:
    """Return a gamma number of a shape of at least 1 (Marsaglia and Tsang)."""
    most = shape - 1.0 / 3.0
    slope = 1.0 / math.sqrt(9.0 * most)
    while True:
        x, a, b, c, count = _normal(table, a, b, c, count)
        v = 1.0 + slope * x
        if v <= 0.0:
            continue
        v = v * v * v
        bits, a, b, c, count = _next(a, b, c, count)
        u = _unit(bits)
        if u < 1.0 - 0.0331 * (x * x) * (x * x):
            break
        if math.log(u) < 0.5 * x * x + most * (1.0 - v + math.log(v)):
            break
    return most * v, a, b, c, count


@compiled
def exponentials(words: Words, table: Floats, out: Floats) -> None:
    """Fill an array with exponential numbers of mean 1.

    Parameters
    ----------
    words : ndarray of uint64, shape (4,)
        The generator's state; it is moved on.
    table : ndarray of float64, shape (256, 3)
        The ziggurat under exp(-x).
    out : ndarray of float64
        What is filled.
    """
    a, b, c, count = words[0], words[1], words[2], words[3]
    for i in range(len(out)):
        out[i], a, b, c, count = _exponential(table, a, b, c, count)
    words[0], words[1], words[2], words[3] = a, b, c, count


@compiled
def normals(words: Words, table: Floats, out: Floats) -> None:
    """Fill an array with standard normal numbers.

    Parameters
    ----------
    words, out
        As of ``exponentials``.
    table : ndarray of float64, shape (256, 3)
        The ziggurat under exp(-x^2 / 2).
    """
    a, b, c, count = words[0], words[1], words[2], words[3]
    for i in range(len(out)):
        out[i], a, b, c, count = _normal(table, a, b, c, count)
    words[0], words[1], words[2], words[3] = a, b, c, count


@compiled
def normals_below(words: Words, table: Floats, most: float, out: Floats) -> None:
    """Fill an array with standard normal numbers that are not above a bound.

    Parameters
    ----------
    words, table, out
        As of ``normals``.
    most : float
        The bound; numbers above it are drawn again.
    """
    a, b, c, count = words[0], words[1], words[2], words[3]
    for i in range(len(out)):
        x, a, b, c, count = _normal(table, a, b, c, count)
        while x > most:
            x, a, b, c, count = _normal(table, a, b, c, count)
        out[i] = x
    words[0], words[1], words[2], words[3] = a, b, c, count


@compiled
def gammas(
    words: Words, exponential: Floats, normal: Floats, shape: float, out: Floats
) -> None:
    r"""Fill an array with gamma numbers of scale 1.

    Below a shape k of 1 they are :math:`\Gamma_{k+1} U^{1/k}` with
    :math:`U = e^{-E}`: at k = 0.5 it takes a third of the time of NumPy's rejection
    with two powers.

    Parameters
    ----------
    words, out
        As of ``exponentials``.
    exponential, normal : ndarray of float64, shape (256, 3)
        The two ziggurats.
    shape : float
        Shape k, above 0. [1]

    References
    ----------
    Marsaglia, G. and Tsang, W. W. (2000). A simple method for generating gamma
    variables. ACM Transactions on Mathematical Software 26(3), 363-372.
    """
    a, b, c, count = words[0], words[1], words[2], words[3]
    if shape >= 1.0:
        for i in range(len(out)):
            out[i], a, b, c, count = _gamma(shape, normal, a, b, c, count)
    else:
        for i in range(len(out)):
            x, a, b, c, count = _gamma(shape + 1.0, normal, a, b, c, count)
            e, a, b, c, count = _exponential(exponential, a, b, c, count)
            out[i] = x * math.exp(-e / shape)
    words[0], words[1], words[2], words[3] = a, b, c, count


@compiled
def weibulls(
    words: Words, table: Floats, shape: float, scale: float, out: Floats
) -> None:
    r"""Fill an array with Weibull numbers, :math:`\mathrm{scale} \cdot E^{1/k}`.

    Parameters
    ----------
    words, table, out
        As of ``exponentials``.
    shape : float
        Shape k, above 0. [1]
    scale : float
        Scale.
    """
    a, b, c, count = words[0], words[1], words[2], words[3]
    power = 1.0 / shape
    for i in range(len(out)):
        x, a, b, c, count = _exponential(table, a, b, c, count)
        out[i] = scale * x**power
    words[0], words[1], words[2], words[3] = a, b, c, count
