"""The tuple RULES holds every rule file, in the stated order, and every rule cites and documents itself."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest
from sympy import Heaviside, Max, Rational, asinh, atan, exp, sin, symbols

import initmath.gaussian.rules as room
from initmath.derivation import Declined, Step
from initmath.gaussian import RULES, derive, references
from initmath.integral import GaussianIntegral, Phi, q, x
from tests.gaussian.gaussian_numbers import close, number

MODULES = [
    importlib.import_module(f"{room.__name__}.{m.name}")
    for m in pkgutil.iter_modules(room.__path__)
    if not m.name.startswith("_")
]


def test_every_rule_file_is_listed_once() -> None:
    listed = [rule.__module__ for rule in RULES]
    assert sorted(set(listed)) == sorted(m.__name__ for m in MODULES)
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.__name__.rsplit(".", 1)[1])
def test_every_rule_names_itself_and_cites(module: object) -> None:
    assert isinstance(module.NAME, str)  # type: ignore[attr-defined]
    texts = [v for v in vars(module).values() if isinstance(v, str)]
    shared = {getattr(references, name) for name in references.__all__}
    cited = [t for t in texts if t in shared or re.search(r"DLMF|\(1[89]\d\d\)|\(20\d\d\)", t)]
    assert cited, "a rule must cite a source: one of gaussian/references.py or its own"
    assert ">>>" in (module.apply.__doc__ or "")  # type: ignore[attr-defined]


def test_parity_comes_first_and_the_core_before_special_functions() -> None:
    names = [rule.__module__.rsplit(".", 1)[1] for rule in RULES]
    order = ["parity", "split", "expand", "tilt", "stein", "orthant", "algebraic", "rational", "mellin"]
    assert [n for n in names if n in order] == order


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.__module__.rsplit(".", 1)[1])
def test_a_rule_is_pure_and_never_invents(rule: room.Rule) -> None:
    node = GaussianIntegral(x * exp(x) * Phi(x), x, 0, q)
    first, second = rule(node), rule(node)
    assert first == second
    assert isinstance(first, Step | Declined)


y1, y2 = symbols("y1 y2", real=True)
c = symbols("c", real=True)


def kernel(f: object, g: object) -> object:
    covariance = ((q, c * q), (c * q, q))
    return derive(GaussianIntegral(f.subs(x, y1) * g.subs(x, y2), (y1, y2), (0, 0), covariance)).value  # type: ignore[attr-defined]


@pytest.mark.parametrize("g", [Max(0, x), x * Phi(x), sin(x), exp(-(x**2)), Phi(x)], ids=str)
def test_the_same_rules_give_two_point_kernels(g: object) -> None:
    """At c = 0 the kernel is m₁², and its limit at c = 1 is m₂."""
    value = kernel(g, g)
    mean = derive(GaussianIntegral(g, x, 0, q)).value
    second = derive(GaussianIntegral(g**2, x, 0, q)).value  # type: ignore[operator]
    at = {q: Rational(7, 5)}
    independent = value.subs(c, 0).subs(at) - mean.subs(at) ** 2  # type: ignore[attr-defined]
    assert abs(independent.rewrite("erf").evalf(25)) < 1e-20
    near = value.subs(c, 1 - Rational(1, 10**24)).subs(at) - second.subs(at)  # type: ignore[attr-defined]
    assert abs(near.rewrite("erf").evalf(30)) < 1e-10


HALF_LINE = Heaviside(x)
ORTHANTS = {
    "both_sides_positive": Phi(x + 1) * Phi(2 * x + 3),
    "opposite_sides": Phi(x + 1) * Phi(x - 2),
    "both_sides_negative": Phi(-x - 1) * Phi(x / 2 - 2),
    "one_centred": Phi(x) * Phi(3 * x - 1),
    "half_line_shifted": Phi(x - 1) * HALF_LINE,
    "kink_shifted": Phi(x) * Heaviside(x - 1),
    "three": Phi(x) * Phi(2 * x) * HALF_LINE,
    "cube": Phi(x) ** 3,
    "stein_on_half_line": x**3 * Phi(2 * x) * HALF_LINE,
    "tilted_half_line": x * exp(2 * x) * Heaviside(-x),
    "wave_on_half_line": x * sin(2 * x + 1) * HALF_LINE,
    "wave_and_cdf": sin(x) * Phi(3 * x),
    "cdf_over_x": (Phi(2 * x) - Phi(-2 * x)) / x,
    "algebraic_5": x**4 / (2 + 3 * x**2) ** 3,
    "algebraic_half": x**2 * (2 + x**2) ** Rational(-5, 2),
    "half_line_power": x**3 / (1 + x**2) ** 2 * HALF_LINE,
    "left_pole": x**2 / (2 - x) ** 3 * Heaviside(-x),
    "real_power": x ** Rational(1, 3) * HALF_LINE,
    "asinh_4": asinh(3 * x) ** 4,
    "x_atan": x**3 * atan(x),
}


@pytest.mark.parametrize("name", ORTHANTS)
def test_rules_beyond_the_activations(name: str) -> None:
    problem = GaussianIntegral(ORTHANTS[name], x, 0, q)
    derivation = derive(problem)
    assert derivation.value is not None, derivation.declined
    at = {q: Rational(7, 5)}
    assert close(number(derivation.value, at), number(problem, at), 1e-18)
    for step in derivation.steps:
        assert close(number(step.before, at), number(step.after, at), 1e-18)


def test_a_nonzero_mean() -> None:
    m = symbols("m", positive=True)
    problem = GaussianIntegral(x**2 * Phi(x) * exp(-x), x, m, q)
    at = {q: Rational(3, 2), m: Rational(2, 3)}
    assert close(number(derive(problem).value, at), number(problem, at), 1e-18)
