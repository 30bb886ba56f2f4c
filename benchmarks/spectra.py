"""Time and truth of spectral laws, beside a singular value decomposition, FreeNN and freealg.

Run ``python benchmarks/spectra.py``.  FreeNN (Chhaibi, Daouda, Kahn) and freealg are used when
they can be imported: give their folders with ``--beside FOLDER``.  All times are processor times.  A build
starts with the law of g'², which the library keeps; here it is built anew each time, and "again" is with the
kept one.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from initmath.spectra import SpectralLaw, slope_law, spectral_law

DEPTH, POINTS, SIZE = 20, 300, 2000
INTERVAL, MESH = (-3.0, 110.0), 1000


def timed(action: Callable[[], Any], repeat: int = 3) -> tuple[float, Any]:
    """Return the least processor time in milliseconds, and the result."""
    best, result = np.inf, None
    for _ in range(repeat):
        begin = time.process_time()
        result = action()
        best = min(best, time.process_time() - begin)
    return 1e3 * best, result


def built(activation: str, weights: str) -> SpectralLaw:
    """Build a law and all that it needs."""
    slope_law.cache_clear()
    return spectral_law(activation, DEPTH, weights)


def own() -> None:
    """Print build, density, distribution function and quantiles at 300 points."""
    matrix = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    svd, _ = timed(lambda: np.linalg.svd(matrix, compute_uv=False), 1)
    print(f"one singular value decomposition, N = {SIZE}: {svd:.0f} ms")
    heads = f"{'build':>9}{'again':>9}{'density':>9}{'cdf':>9}{'quantile':>9}"
    print(f"{'L = ' + str(DEPTH):24}{heads} ms{'error':>10}{'SVD/ours':>10}")
    for activation in ("tanh", "gelu", "relu", "hardtanh"):
        for weights in ("gaussian", "orthogonal"):
            build, law = timed(lambda a=activation, w=weights: built(a, w))  # type: ignore[misc]
            again, _ = timed(lambda a=activation, w=weights: spectral_law(a, DEPTH, w))  # type: ignore[misc]
            p = np.linspace(sum(weight for _, weight in law.atoms) + 1e-3, 0.999, POINTS)
            quantile, at = timed(lambda law=law, p=p: law.log_quantile(p))  # type: ignore[misc]
            density, _ = timed(lambda law=law, at=at: law.log_density(at))  # type: ignore[misc]
            cdf, _ = timed(lambda law=law, at=at: law.log_cdf(at))  # type: ignore[misc]
            print(
                f"{activation + ' ' + weights:24}{build:9.1f}{again:9.1f}"
                f"{density:9.1f}{cdf:9.1f}{quantile:9.1f}"
                f"{law.error:13.1e}{svd / (build + density):10.0f}"
            )


def freenn() -> None:
    """ReLU, Gaussian: FreeNN's Cython path on its own mesh, and this law on the same points."""
    try:
        module = importlib.import_module("experiments.newton_lilypads_cython")
    except ImportError as missing:
        print(f"FreeNN is not here ({missing})")
        return
    theirs, found = timed(
        lambda: module.run_as_module([1] * DEPTH, [2.0] * DEPTH, interval=INTERVAL, N=MESH), 1
    )
    grid, density = found["space_grid"], np.asarray(found["density"])
    ours, (law, true) = timed(lambda: _law_on(grid))
    inside = (grid > 0.2) & (grid < law.support[-1][1])
    wrong = float(np.mean(np.abs(density[inside] - true[inside]) > 0.1 * true[inside]))
    mass = float(density.sum() * (grid[1] - grid[0]))
    print(f"FreeNN   {theirs:8.0f} ms, mass on its mesh {mass:.4f} of 1; {wrong:.1%} of points off by > 10 %")
    print(f"initmath {ours:8.0f} ms, mass {law.mass:.10f}, error {law.error:.1e}")


def _law_on(grid: Any) -> tuple[Any, Any]:
    law = built("relu", "gaussian")
    return law, law.density(grid)


def freealg() -> None:
    """Print freealg's two ways beside this one: a formula of its own, and a fit to a sampled Jacobian."""
    try:
        distributions = importlib.import_module("freealg.distributions")
    except ImportError as missing:
        print(f"freealg is not here ({missing})")
        return
    at = np.linspace(0.05, 6.5, POINTS)
    theirs, density = timed(lambda: distributions.FussCatalan(2).density(at))
    ours, law = timed(lambda: spectral_law("x", 2))
    seconds, true = timed(lambda: law.density(at))
    wrong = float(np.mean(np.abs(np.asarray(density) - true) > 0.01 * true))
    print(f"freealg, two linear layers: {theirs:.1f} ms, {wrong:.1%} of points off by > 1 %")
    print(f"initmath                  : {ours + seconds:.1f} ms, error {law.error:.1e}")
    _fitted(importlib.import_module("freealg"))


def _fitted(module: Any) -> None:
    """ReLU, L = 20: freealg has no formula for it and fits an algebraic curve to a sample's eigenvalues."""
    eigenvalues = _sampled(1000)
    ours, (law, _) = timed(lambda: _law_on(np.geomspace(1e-3, 100, POINTS)))
    at = np.geomspace(1e-3, 0.98 * law.support[-1][1], POINTS)
    true = law.density(at)
    inside = law.cdf(at[-1]) - law.cdf(at[0])
    for degrees in ((3, 1), (3, 2), (4, 2), (5, 3)):
        try:
            theirs, found = timed(lambda d=degrees: _fit(module, eigenvalues, d, at), 1)  # type: ignore[misc]
        except Exception as refused:
            print(f"freealg, fit of degrees {degrees}: {type(refused).__name__}: {refused}")
            continue
        wrong = float(np.mean(~(np.abs(found - true) <= 0.1 * true)))
        mass = float(np.trapezoid(found, at))
        print(
            f"freealg, fit of degrees {degrees}, ReLU, L = {DEPTH}: {theirs:.0f} ms, the sampling apart, "
            f"mass {mass:.4f} of {inside:.4f} on the mesh, {wrong:.1%} of points off by > 10 %"
        )
    print(f"initmath, the same law: {ours:.1f} ms, error {law.error:.1e}")


def _fit(module: Any, eigenvalues: Any, degrees: tuple[int, int], at: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form = module.AlgebraicForm(eigenvalues)
        form.fit(*degrees)
        return np.asarray(form.density(at, ac_only=True))


def _sampled(size: int) -> Any:
    """Return the squared singular values of one random ReLU network's Jacobian, zeros included."""
    rng = np.random.default_rng(0)
    x, jacobian = rng.normal(size=size), np.eye(size)
    for _ in range(DEPTH):
        w = rng.normal(size=(size, size)) * np.sqrt(2 / size)
        y = w @ x
        x, jacobian = np.maximum(y, 0), (y > 0)[:, None] * (w @ jacobian)
    return np.linalg.svd(jacobian, compute_uv=False) ** 2


def main() -> None:
    """Print all that can be measured here."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", nargs="*", default=[], help="folders to import FreeNN and freealg from")
    sys.path.extend(parser.parse_args().beside)
    own()
    freenn()
    freealg()


if __name__ == "__main__":
    main()
