"""One computation at a time: the working precision of python-flint belongs to the whole process.

Two threads that computed at once would change each other's precision, and with it their error bounds.  So
every public function, and everything that turns a result into text, takes its turn.  Threads gain no speed by
this; processes do.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

__all__ = ["one_at_a_time"]

P = ParamSpec("P")
R = TypeVar("R")


class _Turn:
    """A lock that its holder may take again, and that a forked process finds free."""

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.lock = threading.RLock()


_TURN = _Turn()


def one_at_a_time(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function run only while no other thread is inside a function of this kind.

    Examples
    --------
    >>> @one_at_a_time
    ... def double(n: int) -> int:
    ...     return 2 * n if n < 3 else double(n - 1)
    >>> double(4)
    4
    """

    @wraps(function)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        with _TURN.lock:
            return function(*args, **kwargs)

    return alone
