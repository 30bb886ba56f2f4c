"""The tuple RULES holds every rule file, in the stated order, and every rule cites and documents itself."""

from __future__ import annotations

import importlib
import pkgutil

import pytest
from sympy import Max, Rational, exp, sin, symbols

import initmath.gaussian.rules as room
from initmath.derivation import Declined, Step
from initmath.gaussian import RULES, derive, references
from initmath.integral import GaussianIntegral, Phi, q, x

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
    cited = [name for name in vars(module) if name in references.__all__]
    assert cited, "a rule must cite a source of gaussian/references.py"
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
