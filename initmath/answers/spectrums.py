"""``spectrum()``: the law of the squared singular values of a deep network's Jacobian, and what it means."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, exp, inf, isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from initmath.activation import resolve
from initmath.answers import signs
from initmath.answers.exact import counted, exact_number, whole_number
from initmath.answers.facts import ActivationFacts, facts_of
from initmath.answers.sampled_spectra import Sampled, sample
from initmath.display.data import to_data
from initmath.display.document import Block, Caution, Facts, Heading, Paragraph, Table
from initmath.display.inline import Inline, Label
from initmath.display.shown import Shown
from initmath.errors import InputError
from initmath.simulate.execution import Progress
from initmath.spectra import SpectralLaw, spectral_law

__all__ = ["Sampled", "Spectrum", "spectrum"]

SCHEMA = "initmath.spectrum/1"

HYPOTHESES = (
    "Width to infinity; the slopes D_l are asymptotically free of the weights; every layer has the same q; "
    "square layers."
)

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_TAIL = 1e-4
"""Share of a component that may lie beyond the grid where the component has no edge of its own."""

_LARGEST = 100_000
_SMALLEST_WIDTH = 8

LAMBDA = Label("λ", "lambda", r"\lambda")
SPREAD = Label("σ²_JJᵀ", "sigma^2_JJ^T", r"\sigma^2_{JJ^\top}")
MEAN_LAMBDA = Label("E λ", "E lambda", r"\mathbb{E}\,\lambda")


@dataclass(frozen=True)
class Spectrum(Shown):
    """The law of the squared singular values λ of J = Π D_l W_l, on a grid and as functions.

    Attributes
    ----------
    activation : ActivationFacts
    weights : str
    depth : int
    q, sigma_w2 : float
    sigma_b2 : float or None
        The bias variance with which every layer has this q; None if that would be negative.
    lam, rho : tuple of float
        The grid λ and ρ(λ), the continuous part.
    log_lam, log_rho : tuple of float
        log λ and the density of log λ, where λ itself leaves the range of a double.
    moments : tuple of float
        E λ, …, E λ⁴.
    sampled : Sampled or None
    law : SpectralLaw
    """

    activation: ActivationFacts
    weights: str
    depth: int
    q: float
    sigma_w2: float
    sigma_b2: float | None
    lam: tuple[float, ...]
    rho: tuple[float, ...]
    log_lam: tuple[float, ...]
    log_rho: tuple[float, ...]
    moments: tuple[float, ...]
    sampled: Sampled | None
    law: SpectralLaw = field(repr=False, compare=False)

    @property
    def atoms(self) -> tuple[tuple[float, float], ...]:
        """λ and weight of each atom."""
        return self.law.atoms

    @property
    def support(self) -> tuple[tuple[float, float], ...]:
        """Ends of each component of the continuous part."""
        return self.law.support

    @property
    def mass(self) -> float:
        """Atoms and integrated density: 1, but for the error."""
        return self.law.mass

    @property
    def error(self) -> float:
        """How far mass and two moments of the integrated density are from their exact values."""
        return self.law.error

    @property
    def sigma2_jjt(self) -> float:
        """Var λ/(E λ)²; at criticality the variance of the squared singular values."""
        return self.law.sigma2_jjt

    @property
    def mean(self) -> float:
        """E λ = (σ_w² E g'²)ᴸ: what a squared gradient is multiplied by on its way through."""
        return self.moments[0]

    def density(self, lam: Any) -> Any:
        """ρ(λ) of the continuous part; 0 off its support."""
        return self.law.density(_real(lam))

    def cdf(self, lam: Any) -> Any:
        """P(squared singular value ≤ λ), atoms included."""
        return self.law.cdf(_real(lam))

    def quantile(self, p: Any) -> Any:
        """Smallest λ with cdf(λ) ≥ p, 0 ≤ p ≤ 1."""
        return self.law.quantile(_real(p))

    def moment(self, k: int) -> float:
        """E λᵏ, k = 0, 1, 2, …; from a power series, not by integration."""
        number = whole_number(k)
        if number is None:
            raise InputError(f"a moment needs k = 0, 1, 2, …, got {k!r}")
        return self.law.moment(number)

    @cached_property
    def log_quantiles(self) -> NDArray[np.float64]:
        """Log λ below which 5, 25, 50, 75 and 95 % lie."""
        return np.asarray(self.law.log_quantile(np.array(QUANTILES)))

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw density, edges and atoms on logarithmic axes; write it to a file if one is named.

        Returns
        -------
        matplotlib Figure
        """
        from initmath.plots import check_name, save
        from initmath.plots.spectrum import spectrum_figure

        if path is not None:
            check_name(path)
        figure = spectrum_figure(self)
        if path is not None:
            save(figure, path)
        return figure

    def _quantiles(self) -> NDArray[np.float64]:
        with np.errstate(over="ignore", under="ignore"):
            return np.asarray(np.exp(self.log_quantiles))

    def _data_(self) -> dict[str, Any]:
        """Return plain data for JSON; λ is a squared singular value."""
        return {
            "schema": SCHEMA,
            "activation": to_data(self.activation),
            "weights": self.weights,
            "depth": self.depth,
            "q": self.q,
            "sigma_w2": self.sigma_w2,
            "sigma_b2": self.sigma_b2,
            "lambda": to_data(self.lam),
            "density": to_data(self.rho),
            "log_lambda": to_data(self.log_lam),
            "log_density": to_data(self.log_rho),
            "atoms": to_data(self.atoms),
            "support": to_data(self.support),
            "mass": self.mass,
            "moments": to_data(self.moments),
            "sigma2_jjt": self.sigma2_jjt,
            "quantiles": to_data(tuple(zip(QUANTILES, self._quantiles().tolist(), strict=True))),
            "error": self.error,
            "hypotheses": HYPOTHESES,
            "sampled": to_data(self.sampled),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Title, the network, the law, what it means for learning."""
        return _page(self)


def spectrum(
    act: Any,
    depth: int = 1,
    weights: str = "orthogonal",
    q: Any = 1,
    sigma_w2: Any = None,
    points: int = 300,
    params: dict[str, Any] | None = None,
    sampled: int | None = None,
    networks: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Spectrum:
    r"""Return the law of the squared singular values of J = Π D_l W_l as the width goes to infinity.

    .. math:: z = \frac{1 + m}{m}\left[σ_w^2 (1 + m)^g \frac{m w}{1 + m}\right]^L,\quad
        m = E\frac{a}{w - a},\quad a = g'(\sqrt q z)^2,

    g = 1 for Gaussian, 0 for orthogonal weights; ρ(λ) = −Im (1 + m)/(πλ) at z = λ + i0.

    Parameters
    ----------
    act : str, Expr, callable or Activation
    depth : int
        L, 1 … 10⁶.
    weights : str
        ``"orthogonal"`` (σ_w × Haar) or ``"gaussian"`` (entries of variance σ_w²/N).
    q : number or text
        Pre-activation variance of every layer.
    sigma_w2 : number or text, optional
        1/E g'² unless given, so that E λ = 1.
    points : int
        Of the grid: half of them by mass, half over the support on a logarithmic scale, closer at the edges.
    params : dict, optional
        Parameters of the activation.
    sampled : int, optional
        Width N of random networks whose eigenvalues are sampled and held beside the law; more of them with
        the widths N/2 and N/4 are sampled for a verdict, in which the finite width is taken out.
    networks : int, optional
        How many of width N; 12 or enough for about 8000 eigenvalues unless given.
    seed : int
        Of the sampled networks.
    progress : callable, optional
        ``progress(done, total)`` of the sampled networks.

    Returns
    -------
    Spectrum
        ``error``: how far mass and two moments of the integrated density are from their exact values.

    Raises
    ------
    InputError
        If the input is wrong; the message is one line.
    Disagreement
        If mass or moments are off by more than 1e-6.

    Notes
    -----
    Asymptotic freeness: a theorem for Gaussian weights (Pastur 2020, arXiv:2001.06188) and for orthogonal
    ones (Collins and Hayase 2021, arXiv:2103.13466).

    References
    ----------
    .. [1] Pennington, Schoenholz, Ganguli 2017, arXiv:1711.04735.
    .. [2] Pennington, Schoenholz, Ganguli 2018, arXiv:1802.09979.

    Examples
    --------
    >>> from initmath import spectrum
    >>> law = spectrum("relu", depth=3, weights="gaussian")
    >>> [round(m, 6) for m in law.moments], law.atoms
    ([1.0, 7.0, 67.0, 741.0], ((0.0, 0.5),))
    """
    count = counted(points, "points", 2)
    if count > _LARGEST:
        raise InputError(f"points = {count}: at most {_LARGEST}")
    layers = counted(depth, "depth")
    at = _double(q, "q")
    scale = None if sigma_w2 is None else _double(sigma_w2, "sigma_w2")
    width = None if sampled is None else counted(sampled, "sampled", _SMALLEST_WIDTH)
    if networks is not None and width is None:
        raise InputError("networks needs sampled, the width of the networks")
    activation = resolve(act, dict(params) if params else None)
    if activation.is_symbolic:
        raise InputError("a spectrum needs numbers: give every parameter a value, as in --param a=0.2")
    law = spectral_law(activation, layers, weights, at, scale)
    log_lam = _grid(law, count)
    log_rho = law.log_density(log_lam)
    with np.errstate(over="ignore", under="ignore"):
        lam = np.exp(log_lam)
    density = _over(log_rho, log_lam)
    bias = _bias(activation, law, at)
    compared = None
    if width is not None:
        compared = sample(activation, law, at, bias, width, networks, seed, progress)
    return Spectrum(
        activation=facts_of(activation),
        weights=weights,
        depth=layers,
        q=at,
        sigma_w2=law.sigma_w2,
        sigma_b2=bias,
        lam=tuple(lam.tolist()),
        rho=tuple(density.tolist()),
        log_lam=tuple(log_lam.tolist()),
        log_rho=tuple(log_rho.tolist()),
        moments=tuple(law.moment(k) for k in (1, 2, 3, 4)),
        sampled=compared,
        law=law,
    )


def _double(value: Any, name: str) -> float:
    try:
        number = float(exact_number(value, name))
    except OverflowError:
        number = inf
    if not (isfinite(number) and number > 0):
        raise InputError(f"{name} = {str(value)[:40]}: is beyond the range of double precision")
    return number


def _real(value: Any) -> NDArray[np.float64]:
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{str(value)[:40]} is not a number or an array of numbers") from None


def _over(log_rho: NDArray[np.float64], log_lam: NDArray[np.float64]) -> NDArray[np.float64]:
    """ρ(λ) = (density of log λ)/λ, also where λ underflows but ρ does not exist as a double."""
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        return np.asarray(np.where(log_rho > 0, np.exp(np.log(log_rho) - log_lam), 0.0))


# --------------------------------------------------------------------------------------------------- the grid


def _grid(law: SpectralLaw, count: int) -> NDArray[np.float64]:
    """Place log λ inside every component, in proportion to its mass; the edges themselves are left out."""
    spans = _spans(law)
    shares = np.array([mass for *_, mass in spans])
    if not spans or shares.sum() <= 0:
        return np.empty(0)
    wanted = np.maximum(2, np.floor(count * shares / shares.sum()).astype(int))
    wanted[int(np.argmax(shares))] += max(0, count - int(wanted.sum()))
    found = []
    for (low, high, below, mass), n in zip(spans, wanted, strict=True):
        by_mass = n // 2
        middle = (np.arange(n - by_mass) + 0.5) / (n - by_mass)
        ends = _ends(law, low, high, below, mass)
        depth = np.log1p(ends[1] - ends[0])
        # closer at both edges, and where the support spans many e-foldings closer to the largest λ
        graded = ends[1] - np.expm1(depth * np.cos(np.pi / 2 * middle) ** 2)
        p = below + mass * (np.arange(by_mass) + 0.5) / max(by_mass, 1)
        # where a point stands need not be exact: no quantiles
        by_share = np.interp(p, np.maximum.accumulate(law.log_cdf(graded)), graded)
        placed = np.concatenate([graded, by_share])
        found.append(placed[(placed > low) & (placed < high)])
    return np.unique(np.concatenate(found))


def _spans(law: SpectralLaw) -> list[tuple[float, float, float, float]]:
    """(low, high) in log λ of each component, the mass below it, and its own."""
    spans = []
    for low, high in law.log_support:
        inside = sum(p for s, p in law.log_atoms if low < s <= high)
        first, last = (float(law.log_cdf(end)) if isfinite(end) else float(end > 0) for end in (low, high))
        if low == -inf:
            first = sum(p for s, p in law.log_atoms if s == -inf)
        mass = last - first - inside
        if high > low and mass > 0:
            spans.append((low, high, first, mass + inside))
    return spans


def _ends(law: SpectralLaw, low: float, high: float, below: float, mass: float) -> tuple[float, float]:
    """Edges; where there is none, the quantile beyond which next to nothing lies."""
    first = low if isfinite(low) else float(law.log_quantile(below + _TAIL * mass))
    last = high if isfinite(high) else float(law.log_quantile(min(1.0, below + (1 - _TAIL) * mass)))
    return first, last


# -------------------------------------------------------------------------------------------------- the bias


def _bias(activation: Any, law: SpectralLaw, q: float) -> float | None:
    """σ_b² = q − σ_w² E g², with which q stays; None where it is negative."""
    from initmath.quadrature import moments

    second = moments(activation, np.array([q])).second_moment
    value, error = float(second.value[0]), float(second.error[0])
    bias = q - law.sigma_w2 * value
    rounding = law.sigma_w2 * error + 1e-14 * q
    if abs(bias) <= rounding:
        return 0.0
    return bias if bias > 0 else None


# ------------------------------------------------------------------------------------------------- the page


def _page(result: Spectrum) -> tuple[Block, ...]:
    law = result.law
    blocks: list[Block] = [Heading(result.activation.title(), 1), result.activation.block()]
    chosen = "1/E g′²" if abs(law.sigma_w2 * law.slopes.mean - 1) < 1e-12 else "given"
    network: list[tuple[Inline, Inline]] = [
        ("layers", f"{result.depth}, {_KINDS[result.weights]} weights"),
        ("weights", (signs.WEIGHT_VARIANCE, f" = {_short(result.sigma_w2)}, {chosen}")),
        ("q", (signs.Q, f" = {_short(result.q)}", *_kept(result))),
    ]
    blocks += [Heading("Jacobian at initialization"), Facts(tuple(network))]
    if result.sigma_b2 is None:
        text = "No bias variance keeps this q: the law is that of layers that have it all the same."
        blocks.append(Caution(text))
    blocks += [Heading(("Squared singular values ", LAMBDA)), Facts(tuple(_law_rows(result)))]
    blocks += [Heading("Singular values"), _quantiles(result)]
    blocks += [Heading("For learning"), *(Paragraph(text) for text in _meaning(result))]
    if result.sampled is not None:
        blocks += result.sampled.blocks()
    return tuple(blocks)


def _kept(result: Spectrum) -> tuple[Inline, ...]:
    if result.sigma_b2 is None:
        return ()
    return (", kept with ", signs.BIAS_VARIANCE, f" = {_short(result.sigma_b2)}")


def _law_rows(result: Spectrum) -> list[tuple[Inline, Inline]]:
    law = result.law
    mean: Inline = _power(law.log_mean)
    rows: list[tuple[Inline, Inline]] = [
        ("mean", (MEAN_LAMBDA, f" = {mean}")),
        ("spread", (SPREAD, f" = {_short(result.sigma2_jjt)}", *_relative(law.log_mean))),
    ]
    for (low, high), (log_low, log_high) in zip(result.support, law.log_support, strict=True):
        shown = f"{_edge(low, log_low)} to {_edge(high, log_high)}"
        rows.append(("support", shown))
    for (lam, weight), (log_lam, _) in zip(result.atoms, law.log_atoms, strict=True):
        where = "0" if lam == 0 and log_lam == -inf else _power(log_lam)
        rows.append(("atom", (LAMBDA, f" = {where}, with weight {_short(weight)}")))
    moments = ", ".join(_short(value) for value in result.moments)
    rows.append(("moments", (moments, "  (", MEAN_LAMBDA, " to its fourth power)")))
    error = "exact" if result.error == 0 else f"mass and moments to {result.error:.0e}"
    rows.append(("mass", f"{result.mass:.12g}, {error}"))
    return rows


def _relative(log_mean: float) -> tuple[Inline, ...]:
    return () if abs(log_mean) < 1e-9 else (" (variance over squared mean)",)


def _edge(value: float, log_value: float) -> str:
    if log_value == -inf:
        return "0"
    return "∞" if log_value == inf else _power(log_value)


def _quantiles(result: Spectrum) -> Table:
    cells = tuple(_power(float(value) / 2) for value in result.log_quantiles)
    return Table(("share below", *(f"{100 * p:g} %" for p in QUANTILES)), (("singular value", *cells),))


_KINDS = {"gaussian": "Gaussian", "orthogonal": "orthogonal"}
_TIGHT, _WIDE = 4.0, 100.0
"""The largest factor between lengths that counts as close to an isometry, and from which on as far."""


def _meaning(result: Spectrum) -> list[str]:
    """Say what the law means for gradients, in words that follow from its numbers."""
    law = result.law
    texts = [_growth(law)]
    dead = sum(p for s, p in law.log_atoms if s == -inf)
    if dead > 1e-12:
        texts.append(f"{100 * dead:.3g} % of all directions are lost: no gradient passes along them.")
    # nine tenths of what is not lost; without losses these are the table's own quantiles
    ends = (
        law.log_quantile(dead + (1 - dead) * np.array([0.05, 0.95]))
        if dead
        else result.log_quantiles[[0, -1]]
    )
    low, high = (float(end) / 2 for end in ends)
    ratio = high - low
    of = "nine tenths of the other directions" if dead > 1e-12 else "nine tenths of all directions"
    scales = f"For {of} lengths change by factors from {_power(low)} to {_power(high)}"
    if ratio < 1e-9 and law.log_support:
        texts.append(f"For {of} lengths change by the same factor {_power(low)}: an isometry on them.")
    elif ratio < 1e-9:
        which = "All other directions have" if dead > 1e-12 else "Every direction has"
        texts.append(f"{which} the same factor {_power(low)}: an exact isometry on them.")
    elif ratio <= np.log(_TIGHT):
        texts.append(f"{scales}: close to an isometry, which deep networks learn fastest from.")
    elif ratio <= np.log(_WIDE):
        texts.append(f"{scales}: not an isometry.")
    else:
        texts.append(
            f"{scales}: far from an isometry. Most directions fade, a few carry the gradient, "
            "and learning slows with depth."
        )
    texts.append(_depth_rule(result))
    return texts


def _growth(law: SpectralLaw) -> str:
    if abs(law.log_mean) < 1e-9:
        return "The mean squared singular value is 1: on average gradients keep their length."
    verb = "grow" if law.log_mean > 0 else "shrink"
    return f"Squared gradients {verb} by a factor {_power(law.log_mean)} on average over the layers."


def _depth_rule(result: Spectrum) -> str:
    each = result.law.slopes.spread + (result.weights == "gaussian")
    if each == 0:
        return "Depth changes nothing: no layer adds to the spread."
    source = (
        "the Gaussian weights (1) and the activation" if result.weights == "gaussian" else "the activation"
    )
    return (
        f"The spread grows by {_short(each)} a layer, from {source}: "
        f"it is 1 or more from depth {_short(ceil(1 / each))} on."
    )


def _short(value: float) -> str:
    if not isfinite(value):
        return "∞"
    return f"{value:.6g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")


def _power(log_value: float) -> str:
    """Write a positive number from its logarithm; as a power of ten where a double cannot hold it."""
    if log_value == -inf:
        return "0"
    if log_value == inf:
        return "∞"
    if abs(log_value) < 690:
        return _short(exp(log_value))
    return f"10^{log_value / np.log(10):.6g}"
