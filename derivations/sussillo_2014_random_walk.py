"""Sussillo & Abbott: the gain at which the log of a gradient's length does not drift, at finite width.

A gradient δ goes back through a layer: δ' = g W δ with N rows of normal weights of variance 1/N, so |δ'|² =
g² z |δ|² with z = |Wδ|²/|δ|². Over layers ln |δ|² is a random walk with steps ln g² + ln z, and it has no
drift for g = exp(−½ E ln z). At g = 1 the mean of |δ|² is kept, but E ln z < ln E z = 0: the typical
gradient shrinks. Each entry of Wδ/|δ| is normal with variance 1/N whatever δ is, so N z is a χ² variable
with N degrees of freedom, with the density t^(N/2−1) e^(−t/2)/(2^(N/2) Γ(N/2)), and E ln z is known
exactly.

The paper expands ln z to second order about z = 1, E ln z ≈ −½ Var z = −1/N, and has g = exp(1/(2N)). That
is the first term of a series: ln g = 1/(2N) + 1/(6N²) − …. For ReLU it fits E ln z ≈ −ln 2 − 2.4/(max(N, 6)
− 2.4) to samples. There, too, the truth can be had: of M ~ Bin(N, ½) open units N z is χ² with M degrees of
freedom, so that E ln z is the mean of ψ(M/2) + ln(2/N) over M ≥ 1 (with M = 0 the gradient is gone).
"""

from __future__ import annotations

from functools import cache

from sympy import Integral, Rational, Symbol, binomial, exp, gamma, log, oo, polygamma, sqrt

from derivations.literate import Checked, Claim, Erratum, Measured, Paper, chain, then
from derivations.orbits import enclosed
from initmath.derivation import Derivation, Number

PAPER = Paper(
    "Sussillo & Abbott",
    2014,
    "Random walk initialization for training very deep feedforward networks",
    "arXiv:1412.6558; its equations as quoted in readers' notes and in public code",
    "at second hand",
)
N, t = Symbol("N", positive=True), Symbol("t", positive=True)
EXACT = sqrt(N / 2) * exp(-polygamma(0, N / 2) / 2)
FIRST = exp(1 / (2 * N))
FIT = sqrt(2) * exp(Rational(12, 10) / (N - Rational(24, 10)))  # for N ≥ 6

CLAIM = Claim(
    "the linear case",
    "the gain g without drift, from two terms of ln z (the paper calls it an expansion).",
    FIRST,
    holds=False,
    verdict="first term of a series, as it says",
)


@cache
def relu(width: int) -> Number:
    """Return exp(−½ E ln z) for ReLU, given that a unit is open; a finite sum of digamma values."""
    from flint import arb

    from initmath.balls import bits, working_precision

    with working_precision(bits(25)):
        mean = arb(0)
        for count in range(1, width + 1):
            mean += arb(int(binomial(width, count))) * (arb(count) / 2).digamma()
        mean = mean / (arb(2) ** width - 1) + (arb(2) / width).log()
        return enclosed((-mean / 2).exp(), "sum over the number of open units")


ALSO = (
    Checked(
        Claim("the linear case, N = 10", "g = exp(1/(2N))", FIRST.subs(N, 10), holds=False), EXACT.subs(N, 10)
    ),
    Checked(
        Claim("the linear case, N = 100, to four decimals", "g = exp(1/(2N))", "1.0050"), EXACT.subs(N, 100)
    ),
    Checked(
        Claim("the ReLU case, N = 10", "g = √2 exp(1.2/(max(N, 6) − 2.4))", "1.6561", holds=False), relu(10)
    ),
    Checked(
        Claim("the ReLU case, N = 100", "g = √2 exp(1.2/(max(N, 6) − 2.4))", "1.4317", holds=False), relu(100)
    ),
)
ERRATA = (
    Erratum(
        "Sussillo & Abbott 2014: the gains, taken as exact",
        "linear: exp(1/(2N)); ReLU: √2 exp(1.2/(max(N, 6) − 2.4))",
        "linear: √(N/2) e^(−ψ(N/2)/2), 1.05302 instead of 1.05127 at N = 10; ReLU: 1.64922 instead of "
        "1.65610 at "
        "N = 10, 1.43230 instead of 1.43171 at N = 100",
        "N z is χ² with N degrees of freedom (linear), with Bin(N, ½) of them (ReLU), and E ln χ²_k = "
        "ψ(k/2) + ln 2. "
        "The paper calls the first an expansion and the second a fit; they are good to 2·10⁻³ and 4·10⁻³ "
        "at N = "
        "10. For wide layers the fit's 1.2 should be 5/4: E ln z = −ln 2 − 5/(2N) + …, for z has the "
        "relative "
        "variance 5/N.",
        "at second hand",
    ),
)
REMARKS = (
    "The same drift is in the forward pass of finite networks: with He's gain √2, E q is kept and E ln q "
    "falls by "
    "5/(2N) a layer.",
    "The variance of a step, ψ'(N/2) ≈ 2/N for linear layers, is not changed by g: after L layers ln "
    "|δ|² is off by "
    "√(2L/N) in either direction, and no gain helps against that. (Notes on the paper quote 1/(2N): that is "
    "the variance of ln |δ|, which is half of ln |δ|².)",
)


def parts() -> tuple[tuple[str, Derivation, str], ...]:
    """Show the mean of z itself, for the density."""
    body = t ** (N / 2 - 1) * exp(-t / 2) / (2 ** (N / 2) * gamma(N / 2))
    whole = Integral(t / N * body, (t, 0, oo))
    mean = chain(
        whole,
        then(
            "substitute",
            whole,
            2 / N * Integral(t ** (N / 2) * exp(-t), (t, 0, oo)) / gamma(N / 2),
            "t becomes 2t, dt becomes 2dt: 2 · 2^(N/2) over 2^(N/2) leaves one factor 2.",
        ),
        then(
            "Gamma function",
            Integral(t ** (N / 2) * exp(-t), (t, 0, oo)),
            N / 2 * gamma(N / 2),
            "∫ t^(a−1) e^(−t) dt = Γ(a) with a = N/2 + 1, and Γ(N/2 + 1) = (N/2) Γ(N/2).",
        ),
    )
    return (
        ("The mean of z is 1: at g = 1 the mean square is kept", mean, "z = t/N, with the density of χ²."),
    )


def derive() -> Derivation:
    """Show E ln z from the density, then g."""
    density = t ** (N / 2 - 1) * exp(-t / 2) / (2 ** (N / 2) * gamma(N / 2))
    plain = t ** (N / 2 - 1) * exp(-t) / gamma(N / 2)
    whole = Integral(log(t / N) * density, (t, 0, oo))
    scaled = Integral(log(2 * t / N) * plain, (t, 0, oo))
    logarithm = Integral(log(t) * plain, (t, 0, oo))
    return chain(
        exp(-whole / 2),
        then(
            "substitute",
            whole,
            scaled,
            "t becomes 2t, dt becomes 2dt: 2 · 2^(N/2−1) cancels 2^(N/2).",
        ),
        then(
            "logarithm",
            scaled,
            log(2 / N) + logarithm,
            "ln(2t/N) = ln(2/N) + ln t, and the rest is a density: it integrates to 1.",
        ),
        then(
            "differentiate under the integral",
            logarithm,
            polygamma(0, N / 2),
            "∫ ln t · t^(a−1) e^(−t) dt is the derivative of Γ(a) = ∫ t^(a−1) e^(−t) dt in a; Γ'/Γ is "
            "called ψ.",
        ),
        then("power", None, EXACT, "exp(−½ ln(2/N)) = √(N/2)."),
    )


def numbers() -> tuple[Measured, ...]:
    """Show the exact gains."""
    return (
        Measured("linear, N = 10: g", EXACT.subs(N, 10), "sussillo.linear.N=10"),
        Measured("linear, N = 10: exp(1/(2N))", FIRST.subs(N, 10)),
        Measured("linear, N = 100: g", EXACT.subs(N, 100), "sussillo.linear.N=100"),
        Measured("ReLU, N = 10: g", relu(10), "sussillo.relu.N=10"),
        Measured("ReLU, N = 10: the fit", FIT.subs(N, 10)),
        Measured("ReLU, N = 100: g", relu(100), "sussillo.relu.N=100"),
        Measured("ReLU, N = 100: the fit", FIT.subs(N, 100)),
    )
