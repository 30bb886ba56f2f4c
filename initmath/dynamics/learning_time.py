r"""How many steps a deep linear network needs, from orthogonal and from scaled Gaussian starts.

At the target, the curvature of a balanced mode is L s^{2−2/L}: a step must be shorter than 2/(L s^{2−2/L}),
so the best learning rate falls like 1/L while the flow speeds up like L.  From orthogonal matrices (every
layer's singular values 1) the number of steps is therefore flat in depth; `learning_time_limit` is its closed
form for one mode.  The product of L Gaussian matrices of variance 1/N keeps its mean square, but its singular
values spread over e^{O(L)}: the strongest direction bounds the rate, the weakest is learned last, the steps
grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from initmath.dynamics.descent import gradients
from initmath.dynamics.inputs import layers
from initmath.errors import InputError
from initmath.sampling import normal, orthogonal

__all__ = ["STARTS", "LearningTime", "learning_time", "learning_times"]

STARTS = ("orthogonal", "gaussian")

Real = NDArray[np.float64]

FINEST, COARSEST, RATIO = 2.0**-9, 2.0**1.5, 2.0**0.5
"""Learning rates that are tried, as multiples of 1/(L s^{2−2/L}), and the ratio of neighbours."""


@dataclass(frozen=True)
class LearningTime:
    """Steps of gradient descent at the best of the learning rates tried.

    Attributes
    ----------
    depth : int
        Weight matrices.
    start : str
        ``"orthogonal"`` or ``"gaussian"``.
    steps : int or None
        Of the fastest rate to bring the loss below the given part of its start; None if none did.
    rate : float or None
        That learning rate.
    interior : bool
        Whether faster and slower rates were tried: if not, the best may lie beyond the grid.
    rates : tuple of float
        All that were tried.
    reason : str or None
        Why there are no steps.
    """

    depth: int
    start: str
    steps: int | None
    rate: float | None
    interior: bool
    rates: tuple[float, ...]
    reason: str | None = None


def learning_time(
    depth: int,
    start: str,
    rng: np.random.Generator,
    *,
    width: int = 32,
    outputs: int = 8,
    part: float = 0.01,
    most_steps: int = 2000,
) -> LearningTime:
    """Count the steps that one random linear network needs at its best learning rate.

    Hidden layers and input have the given width, the output is narrower; the target is a random matrix with
    orthonormal rows (s = 1 for every mode), the inputs are whitened.  All learning rates run side by side, so
    the first to arrive is the best of the grid.

    Parameters
    ----------
    depth : int
        Number L of weight matrices.
    start : {"orthogonal", "gaussian"}
        Orthogonal (the last layer with orthonormal rows), or independent N(0, 1/fan-in).
    rng : numpy.random.Generator
    width, outputs : int
        outputs < width: a square orthogonal start could have the wrong sign of determinant, which gradient
        flow cannot change, and never arrive.
    part : float
        Of the initial loss, below which the network has learned.
    most_steps : int
        Where to give up.

    Returns
    -------
    LearningTime

    References
    ----------
    .. [1] Saxe, McClelland & Ganguli, 2014, arXiv:1312.6120 (learning time against depth, on MNIST; here the
       task is a random linear map).

    Examples
    --------
    >>> import numpy as np
    >>> learning_time(8, "orthogonal", np.random.default_rng(0)).steps < 60
    True
    """
    count = layers(depth)
    if start not in STARTS:
        raise InputError(f"start must be one of {', '.join(STARTS)}, got {start!r}")
    if not 1 <= outputs < width:
        raise InputError(f"outputs must be at least 1 and less than the width, got {outputs} and {width}")
    if not 0 < part < 1 or most_steps < 1:
        raise InputError(
            f"part must lie between 0 and 1 and most_steps be positive, got {part}, {most_steps}"
        )
    target = np.asarray(orthogonal((outputs, width), 1.0, rng), np.float64)
    sizes = [(width, width)] * (count - 1) + [(outputs, width)]
    if start == "orthogonal":
        first = [np.asarray(orthogonal(size, 1.0, rng), np.float64) for size in sizes]
    else:
        first = [np.asarray(normal(size, 1 / width, rng), np.float64) for size in sizes]
    several = int(np.floor(np.log(COARSEST / FINEST) / np.log(RATIO) + 1e-9)) + 1
    rates = FINEST / count * RATIO ** np.arange(several)
    steps, best = _race(first, target, rates, part, most_steps)
    tried = tuple(float(r) for r in rates)
    if steps is None:
        reason = f"no rate brought the loss to {part} of its start within {most_steps} steps"
        return LearningTime(count, start, None, None, False, tried, reason)
    return LearningTime(count, start, steps, tried[best], 0 < best < several - 1, tried)


def learning_times(
    depths: Iterable[int], start: str, rng: np.random.Generator, **options: float
) -> tuple[LearningTime, ...]:
    """Return `learning_time` at every depth, on the options it takes.

    Examples
    --------
    >>> import numpy as np
    >>> [found.depth for found in learning_times((1, 2), "gaussian", np.random.default_rng(1))]
    [1, 2]
    """
    return tuple(learning_time(depth, start, rng, **options) for depth in depths)  # type: ignore[arg-type]


def _race(
    first: list[Real], target: Real, rates: Real, part: float, most_steps: int
) -> tuple[int | None, int]:
    """Run all rates in step; return after how many steps the first has learned, and which one."""
    weights = [np.broadcast_to(w, (len(rates), *w.shape)) for w in first]
    alive = np.arange(len(rates))
    with np.errstate(over="ignore", invalid="ignore"):
        begin = None
        for step in range(most_steps + 1):
            slopes, error = gradients(weights, target)
            loss = np.sum(error * error, axis=(-2, -1))
            begin = loss[0] if begin is None else begin
            if np.any(loss <= part * begin):
                return step, int(alive[int(np.nanargmin(loss))])
            # ten thousand times the initial loss is not coming back
            stays = loss < 1e4 * begin
            if not stays.any():
                return None, 0
            speed = rates[alive[stays], None, None]
            weights = [w[stays] - speed * s[stays] for w, s in zip(weights, slopes, strict=True)]
            alive = alive[stays]
    return None, 0
