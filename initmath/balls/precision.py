"""The working precision of python-flint is global; this is the one place that changes it, and restores it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flint import ctx

__all__ = ["working_precision"]


@contextmanager
def working_precision(prec: int) -> Iterator[None]:
    """Compute with ``prec`` bits inside the block; the caller's precision comes back after it.

    Examples
    --------
    >>> from flint import ctx
    >>> before = ctx.prec
    >>> with working_precision(200):
    ...     inside = ctx.prec
    >>> inside, ctx.prec == before
    (200, True)
    """
    before = ctx.prec
    ctx.prec = int(prec)
    try:
        yield
    finally:
        ctx.prec = before
