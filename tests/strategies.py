"""Random activations from the parser's grammar, as text: small enough to integrate, wild enough to test."""

from __future__ import annotations

from hypothesis import strategies as st

__all__ = ["expressions", "kinked", "odd_expressions", "q_values", "smooth"]

_CONSTANTS = st.sampled_from(["1", "2", "1/2", "3/4", "1/3", "0.2", "3", "pi/4", "sqrt(2)"])
_SIGNED = st.builds(lambda sign, c: f"{sign}({c})", st.sampled_from(["", "-"]), _CONSTANTS)
_ODD = ["{0}", "tanh({0})", "erf({0})", "sin({0})", "asinh({0})", "atan({0})", "({0})**3"]
_EVEN = ["exp(-({0})**2)", "cos({0})", "abs({0})", "({0})**2", "1/(1 + ({0})**2)"]
_SMOOTH_OTHER = [
    "Phi({0})",
    "sigmoid({0})",
    "exp({0}/2)",
    "log(1 + exp({0}))",
    "({0})*Phi({0})",
    "({0})*sigmoid({0})",
]
_KINKED = [
    "Max(0, {0})",
    "Min(1, {0})",
    "Max({0}, -1/2)",
    "abs({0})",
    "Max(-1, Min(1, {0}))",
    "Heaviside({0})",
]

_affine = st.builds(
    lambda a, b: f"({a}*x + {b})",
    st.sampled_from(["1", "1/2", "2", "-1"]),
    st.sampled_from(["0", "1", "-1/2", "1/3"]),
)
_arguments = st.one_of(st.just("x"), st.just("x"), _affine)


def _atoms(patterns: list[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda pattern, inner: f"({pattern.format(inner)})", st.sampled_from(patterns), _arguments
    )


def _combined(atoms: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    term = st.builds(lambda c, atom: f"{c}*{atom}", _SIGNED, atoms)
    product = st.builds(lambda a, b: f"{a}*{b}", atoms, atoms)
    total = st.builds(lambda a, b: f"{a} + {b}", term, st.one_of(term, product))
    return st.one_of(atoms, term, product, total)


smooth: st.SearchStrategy[str] = _combined(_atoms(_ODD + _EVEN[:2] + _EVEN[3:] + _SMOOTH_OTHER))
"""Analytic on the whole line."""

kinked: st.SearchStrategy[str] = _combined(_atoms(_KINKED + _ODD + _EVEN[:1] + _SMOOTH_OTHER[:3]))
"""With kinks and jumps."""

expressions: st.SearchStrategy[str] = st.one_of(smooth, kinked).filter(lambda text: "x" in text)
"""Any activation."""

_odd_factor = st.sampled_from(_ODD).map(lambda p: f"({p.format('x')})")
_even_factor = st.sampled_from(_EVEN).map(lambda p: f"({p.format('x')})")
odd_expressions: st.SearchStrategy[str] = st.one_of(
    _odd_factor,
    st.builds(lambda a, b: f"{a}*{b}", _odd_factor, _even_factor),
    st.builds(
        lambda c, a, d, b, e: f"{c}*{a} + {d}*{b}*{e}",
        _SIGNED,
        _odd_factor,
        _SIGNED,
        _odd_factor,
        _even_factor,
    ),
)
"""Odd by construction: odd, odd × even, and sums of them."""

q_values: st.SearchStrategy[str] = st.sampled_from(["1/100", "1/10", "1/3", "1/2", "1", "2", "7/3"])
"""Pre-activation variances at which every expression above is integrable."""
