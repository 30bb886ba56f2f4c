"""How long the enclosures of one question may take: after that they are given up, with a reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flint import arb

from initmath import enclosure
from initmath.errors import NotEnclosed
from initmath.piecewise import PiecewiseSmooth

__all__ = ["SECONDS", "OutOfTime", "allowance", "check", "expectation", "spent"]

SECONDS = 10.0
"""Of one thread's processor time, unless the caller says otherwise."""

_ONE_INTEGRAL = 4.0


class OutOfTime(NotEnclosed):
    """The time of the enclosures is used up; with more of it there might be one."""


class _Clock:
    """When to stop, in this thread's processor time; public functions run one at a time."""

    ends: float | None = None
    seconds: float = SECONDS


_CLOCK = _Clock()


@contextmanager
def allowance(seconds: float | None) -> Iterator[None]:
    """Limit the enclosures inside to so many seconds (None: `SECONDS`); an outer limit holds on.

    Examples
    --------
    >>> with allowance(1e-9):
    ...     spent()
    True
    >>> spent()
    False
    """
    before = (_CLOCK.ends, _CLOCK.seconds)
    seconds = SECONDS if seconds is None else seconds
    ends = time.thread_time() + seconds
    if before[0] is None or ends < before[0]:
        _CLOCK.ends, _CLOCK.seconds = ends, seconds
    try:
        yield
    finally:
        _CLOCK.ends, _CLOCK.seconds = before


def _left() -> float:
    return float("inf") if _CLOCK.ends is None else _CLOCK.ends - time.thread_time()


def spent() -> bool:
    """Whether the time is used up."""
    return _left() <= 0


def check() -> None:
    """Raise `OutOfTime` if the time is used up."""
    if spent():
        raise OutOfTime(f"{_CLOCK.seconds:g} seconds did not suffice for the enclosure")


def expectation(f: PiecewiseSmooth, q: Any, digits: int) -> arb:
    """Enclose E f(√q z) within the time that is left."""
    check()
    return enclosure.expectation(f, q, digits, seconds=min(_left(), _ONE_INTEGRAL * max(1.0, digits / 50)))
