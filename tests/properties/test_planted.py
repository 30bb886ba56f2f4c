"""Rules that are wrong on purpose: one only at a single q, one only in a symbolic parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from sympy import Eq, Piecewise, Rational, Symbol, exp

from initmath import Disagreement, derive, moments
from initmath.cli import run
from initmath.derivation import Step
from initmath.errors import NotEnclosed
from initmath.gaussian import engine
from initmath.integral import GaussianIntegral, q, x
from tests.properties.test_properties import FEW, check_closed_form_in_enclosure
from tests.strategies import q_values

a = Symbol("a", positive=True)
SECOND_MOMENT = GaussianIntegral(x**2, x, 0, q)
AT = Rational(7, 3)


def planted(after):
    """A rule that says E x² = after."""

    def apply(node):
        if node == SECOND_MOMENT:
            return Step("planted", node, after, "because I say so")
        return original[0](node)

    original = engine.RULES
    return (apply, *original[1:])


WRONG_AT_ONE_Q = {
    "by cases": Piecewise((q + 1, Eq(q, AT)), (q, True)),
    "by a needle": q + exp(-(10**9) * (q - AT) ** 2),
}


@pytest.fixture(autouse=True)
def fresh():
    """No closed form is remembered across a change of the rules."""
    moments.forget()
    yield
    moments.forget()


@pytest.fixture(params=WRONG_AT_ONE_Q.values(), ids=WRONG_AT_ONE_Q.keys())
def wrong_at_one_q(request, monkeypatch):
    monkeypatch.setattr(engine, "RULES", planted(request.param))


def test_the_plant_is_in_the_ground(wrong_at_one_q):
    assert engine.derive(SECOND_MOMENT).value.subs(q, AT) == AT + 1
    assert abs(float(engine.derive(SECOND_MOMENT).value.subs(q, 1)) - 1) < 1e-300


def test_wrong_at_a_single_q_is_refused_when_that_q_is_asked(wrong_at_one_q):
    for act in ("identity", "relu"):
        with pytest.raises(Disagreement):
            derive(act, q=f"{AT}")


def test_wrong_at_a_single_q_ends_the_command_line_with_3(wrong_at_one_q, capsys):
    assert run(["derive", "relu", "--q", f"{AT}"]) == 3
    out, err = capsys.readouterr()
    assert out == "" and "disagree" in err and err.count("\n") == 1


def test_a_distinction_of_cases_in_q_is_refused_whatever_q_is_asked(monkeypatch):
    monkeypatch.setattr(engine, "RULES", planted(WRONG_AT_ONE_Q["by cases"]))
    with pytest.raises(Disagreement, match="cases"):
        derive("identity", q=1)


def test_wrong_at_a_single_q_is_found_by_the_property(wrong_at_one_q):
    @FEW
    @given(q_values)
    def every_q(at):
        check_closed_form_in_enclosure("Max(0, x)", at)

    with pytest.raises((AssertionError, NotEnclosed)):
        every_q()


def wrong_in_the_parameter(monkeypatch):
    true = engine.derive

    def derive_wrongly(integral, *arguments, **options):
        from dataclasses import replace

        found = true(integral, *arguments, **options)
        if found.value is not None and a in found.value.free_symbols:
            return replace(found, value=found.value + q * (a - Rational(1, 100)))
        return found

    monkeypatch.setattr("initmath.gaussian.derive", derive_wrongly)


def test_wrong_only_in_a_symbolic_parameter_is_refused(monkeypatch):
    wrong_in_the_parameter(monkeypatch)
    with pytest.raises(Disagreement):
        derive("leaky_relu", params={"a": "symbol"})


def test_wrong_only_in_a_symbolic_parameter_ends_the_command_line_with_3(monkeypatch, capsys):
    wrong_in_the_parameter(monkeypatch)
    assert run(["derive", "leaky_relu", "--param", "a=symbol"]) == 3
    assert "disagree" in capsys.readouterr().err


def test_without_the_plant_all_is_well():
    assert (
        derive("leaky_relu", params={"a": "symbol"})
        .criteria["second_moment"]
        .solutions[0]
        .sigma_w2.closed_form
    )
    assert derive("relu", q=f"{AT}").gain == 2**0.5
