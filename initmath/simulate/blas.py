"""One thread for the linear algebra library while simulations run.

The order in which a matrix product is summed depends on the number of threads, and with it the last bits.
So each product runs on one thread, and the cores are used by several networks at once: the same numbers on
any number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

__all__ = ["one_thread"]


class _Limit:
    """Entered from several threads, the limit is set by the first and lifted by the last."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.inside = 0
        self.limiter: Any = None

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.limiter = _libraries().limit(limits=1, user_api="blas")

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0:
                self.limiter.restore_original_limits()


_LIMIT = _Limit()


@lru_cache(maxsize=1)
def _libraries() -> Any:
    import scipy.linalg  # noqa: F401  # its own BLAS, beside NumPy's: only what is loaded is found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the body with one thread for each matrix product."""
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()
