"""Two inputs through R networks, simulated as plainly as possible: pairs of neurons, and nothing clever."""

from __future__ import annotations

from typing import Any

import numpy as np

from initmath.verification.observations import Gradients, Observations


def simulate(
    activation: Any, sigma_w2: float, q: float = 1.0, *, sigma_b2: float = 0.0, correlation: float = 0.5,
    width: int = 64, depth: int = 5, networks: int = 20, seed: int = 0, backward: bool = True,
    planted: float | None = None,
) -> Observations:  # fmt: skip
    """Gaussian weights: a layer's neurons are independent pairs with the covariance that its input gives."""
    rng = np.random.default_rng(seed)
    g, slope = activation.numpy(0), activation.numpy(1)
    true = sigma_w2 if planted is None else planted
    k = (q - sigma_b2) / sigma_w2
    r = np.array([k, (q * correlation - sigma_b2) / sigma_w2])
    x = np.zeros((networks, 2, width))
    u = rng.standard_normal((networks, 2, width))
    u /= np.sqrt((u**2).mean(-1, keepdims=True))
    u[:, 1] -= (u[:, 0] * u[:, 1]).mean(-1)[:, None] * u[:, 0]
    u[:, 1] /= np.sqrt((u[:, 1] ** 2).mean(-1))[:, None]
    x[:, 0] = np.sqrt(k) * u[:, 0]
    x[:, 1] = r[1] / np.sqrt(k) * u[:, 0] + np.sqrt(max(k - r[1] ** 2 / k, 0)) * u[:, 1]
    xs, hs, slopes = [x], [], []
    second_y, cross_y, derivative = [], [], []
    with np.errstate(all="ignore"):
        for _ in range(depth):
            x = xs[-1]
            a = np.sqrt(true * (x[:, 0] ** 2).mean(-1))
            b = np.divide(true * (x[:, 0] * x[:, 1]).mean(-1), a, out=np.zeros_like(a), where=a > 0)
            c = np.sqrt(np.maximum(true * (x[:, 1] ** 2).mean(-1) - b**2, 0))
            z = rng.standard_normal((networks, 2, width))
            h = np.stack([a[:, None] * z[:, 0], b[:, None] * z[:, 0] + c[:, None] * z[:, 1]], 1)
            y = h + np.sqrt(sigma_b2) * rng.standard_normal((networks, 1, width))
            hs.append(h)
            second_y.append((y**2).mean(-1))
            cross_y.append((y[:, 0] * y[:, 1]).mean(-1))
            s = slope(y[:, 0])
            slopes.append(s)
            derivative.append((s**2).mean(-1))
            xs.append(g(y))
        gradients = _backward(xs, hs, slopes, true, rng) if backward else None
        x = np.stack(xs, 1)
        return Observations(
            width=width,
            second_x=(x**2).mean(-1),
            mean_x=x.mean(-1),
            cross_x=(x[:, :, 0] * x[:, :, 1]).mean(-1),
            fourth_x=(x[:, :, 0] ** 4).mean(-1),
            second_y=np.stack(second_y, 1),
            cross_y=np.stack(cross_y, 1),
            derivative=np.stack(derivative, 1),
            gradients=gradients,
        )


def _backward(xs: list[Any], hs: list[Any], slopes: list[Any], sigma_w2: float, rng: Any) -> Gradients:
    networks, _, width = xs[0].shape
    up = rng.standard_normal((networks, width))
    rows: list[tuple[Any, ...]] = []
    for layer in reversed(range(len(hs))):
        delta = slopes[layer] * up
        x, h = xs[layer], hs[layer]
        x, h = np.nan_to_num(x), np.nan_to_num(h)
        inverse = np.linalg.pinv(x)  # (R, N, 2): x is (R, 2, N)
        known = np.einsum("rnb,rbi,ri->rn", inverse, h, delta)
        fresh = np.sqrt(sigma_w2 * (delta**2).mean(-1))[:, None] * rng.standard_normal((networks, width))
        fresh -= np.einsum("rnb,rbm,rm->rn", inverse, x, fresh)
        up = known + fresh
        rank = np.linalg.matrix_rank(x)
        rows.append(((delta**2).sum(-1), (up**2).sum(-1), (known**2).sum(-1), width - rank))
    columns = [np.stack(part[::-1], 1).astype(float) for part in zip(*rows, strict=True)]
    return Gradients(*columns)
