"""Saxe et al. 2014: learning time of deep linear networks against depth, and the exact time course of modes.

Left: steps of gradient descent at the best learning rate of each depth, from orthogonal and from Gaussian
starts of the same scale.  Right: the strength of each mode in closed form, through gradient descent on real
matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from figures.sheet import BLUE, GREY, SERIES, VERMILION, letters, panels, upper

SEED = 1312
MODES = (4.0, 2.0, 1.0)
START, END = 1e-3, 7.0
WIDTH = 32


@dataclass(frozen=True)
class Data:
    """Steps against depth, and one trajectory.

    Attributes
    ----------
    depths : tuple of int
    orthogonal, gaussian : ndarray, shape (depths, trials)
        Steps at the best rate; NaN where none of them learned within ``most_steps``.
    most_steps : int
    interior : bool
        Whether each best rate lies inside of the grid.
    time : ndarray, shape (n,)
        In units of τ.
    descent, exact : ndarray, shape (n, 3)
        Strength of each mode at depth 2, by gradient descent and in closed form.
    error : float
        Largest relative difference.
    curve_time, curve : ndarray, shape (m,) and (m, 3)
        The closed form again, at more times: what is drawn as a line.
    half : ndarray, shape (3,)
        When a mode has half of its strength, in closed form.
    """

    depths: tuple[int, ...]
    orthogonal: NDArray[np.float64]
    gaussian: NDArray[np.float64]
    most_steps: int
    interior: bool
    time: NDArray[np.float64]
    descent: NDArray[np.float64]
    exact: NDArray[np.float64]
    error: float
    curve_time: NDArray[np.float64]
    curve: NDArray[np.float64]
    half: NDArray[np.float64]


def data(quick: bool = False) -> Data:
    """Train at every depth, several times, and follow one aligned start."""
    from initmath.dynamics import follow, learning_time, mode_strength, time_to_learn

    depths = (1, 2, 4, 8) if quick else (1, 2, 4, 8, 16, 32)
    trials, most = (2, 500) if quick else (5, 1000)
    kept: dict[str, list[list[float]]] = {"orthogonal": [], "gaussian": []}
    interior = True
    for start, rows in kept.items():
        for depth in depths:
            row = []
            for trial in range(trials):
                rng = np.random.default_rng([SEED, depth, trial])
                found = learning_time(depth, start, rng, width=WIDTH, outputs=8, most_steps=most)
                row.append(np.nan if found.steps is None else float(found.steps))
                interior &= found.steps is None or found.interior
            rows.append(row)
    run = follow(np.diag(MODES), START, END, width=8, rate=1e-3, points=40, rng=np.random.default_rng(SEED))
    time = np.linspace(0, END, 141)
    curve = np.array([[float(mode_strength(float(t), s, START)) for s in MODES] for t in time])
    half = np.array([float(time_to_learn(s, START, s / 2)) for s in MODES])
    return Data(
        depths, np.array(kept["orthogonal"]), np.array(kept["gaussian"]), most, interior, run.time,
        run.strength, run.exact, run.relative_error, time, curve, half,
    )  # fmt: skip


def draw(found: Data) -> Any:
    """Draw the steps against depth, and the modes against time."""
    figure, axes = panels(1, 2, height=3.0)
    for rows, colour, marker, name in (
        (found.gaussian, VERMILION, "s", "Gaussian"), (found.orthogonal, BLUE, "o", "orthogonal"),
    ):  # fmt: skip
        middle = np.median(np.where(np.isnan(rows), np.inf, rows), axis=1)
        shown = np.isfinite(middle)
        depths = np.array(found.depths)
        axes[0].plot(depths[shown], middle[shown], color=colour, label=name)
        for column in rows.T:
            axes[0].plot(depths, column, marker, ms=3.5, mfc="none", color=colour)
    axes[0].set(xscale="log", yscale="log", xlabel="depth $L$", ylabel="steps at the best learning rate")
    axes[0].set_xticks(found.depths, [str(d) for d in found.depths])
    axes[0].minorticks_off()
    axes[0].legend(loc="upper left")
    for mode, (s, colour) in enumerate(zip(MODES, SERIES, strict=False)):
        axes[1].plot(found.curve_time, found.curve[:, mode], color=colour)
        axes[1].plot(found.time, found.descent[:, mode], "o", ms=3.2, mfc="none", color=colour)
        axes[1].axhline(s, color=GREY, lw=0.6, ls=":")
        axes[1].text(END, s - 0.08, f"$s = {s:g}$", color=colour, ha="right", va="top")
    axes[1].set(
        xlabel=r"time, steps $\times$ learning rate", ylabel="strength $u(t)$ of a mode", xlim=(0, END)
    )
    axes[1].set_ylim(0, None)
    letters(axes)
    return figure


def caption(found: Data) -> str:
    """Say what is seen, with the numbers."""
    last = found.depths[-1]
    flat, steep = np.median(found.orthogonal, axis=1), found.gaussian[-1]
    failed = int(np.isnan(steep).sum())
    learned = steep[~np.isnan(steep)]
    at_last = f"at least {learned.min():.0f} steps" if len(learned) else "more steps than were run"
    unfinished = f" ({failed} of {len(steep)} had not learned after {found.most_steps})" if failed else ""
    halves = ", ".join(f"{t:.3f}" for t in found.half)
    return (
        "(a) Steps of gradient descent until 1 % of the initial loss, linear networks of width "
        f"{WIDTH} with 8 "
        f"outputs, {found.orthogonal.shape[1]} starts a depth, lines through the medians: orthogonal "
        f"{', '.join(f'{x:g}' for x in flat)} at L = {', '.join(map(str, found.depths))}; Gaussian at "
        f"L = {last}: "
        f"{at_last}{unfinished}. "
        f"(b) Strength of three modes from u₀ = {START:g}, L = 2: closed form (lines) and gradient descent "
        f"(circles), which differ by at most {upper(100 * found.error, 2)} %. Half of s "
        f"is reached at t = {halves}."
    )


def check(found: Data) -> None:
    """Assert that orthogonal is flat and Gaussian grows, and the closed form of the time course."""
    assert not np.isnan(found.orthogonal).any()
    deep = np.array(found.depths) >= 2
    flat = np.median(found.orthogonal, axis=1)
    settled = flat[np.array(found.depths) >= 4]
    assert settled.max() <= 1.5 * settled.min(), flat
    middle = np.median(np.where(np.isnan(found.gaussian), np.inf, found.gaussian), axis=1)
    assert np.all(np.diff(middle[deep]) > 0) and middle[-1] > 3 * flat[-1], middle
    assert found.interior
    for steps in (found.orthogonal, found.gaussian):
        counted = steps[np.isfinite(steps)]
        assert np.all((counted == np.round(counted)) & (counted >= 1) & (counted <= found.most_steps))
    assert found.error < 0.02
    for s, half in zip(MODES, found.half, strict=True):
        assert abs(half - np.log(s / START - 1) / (2 * s)) < 1e-12  # t = ln[u_f (s − u₀)/(u₀ (s − u_f))]/2s
    for time, values in ((found.time, found.exact), (found.curve_time, found.curve)):
        logistic = [s / (1 + (s / START - 1) * np.exp(-2 * s * time)) for s in MODES]
        np.testing.assert_allclose(values, np.transpose(logistic), rtol=1e-9)
    apart = np.max(np.abs(found.descent / found.exact - 1))
    assert abs(found.error - apart) < 1e-9
