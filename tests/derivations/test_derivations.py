"""Every derivation: its value against the claim, both sides of every step, and the page beside the file."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import mpmath
import pytest
from flint import arb
from sympy import Heaviside, Rational, Symbol, sqrt

from derivations import names, result
from derivations.__main__ import errata, index, main, markdown, pages
from derivations.literate import READ, Claim, Paper, agreement, chain, then
from derivations.literate import number as true_number
from initmath.derivation import Derivation
from initmath.integral import GaussianIntegral
from tests.gaussian.gaussian_numbers import close, number

REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "reference.json").read_text(encoding="utf-8"))
POINTS = (Rational(6, 5), Rational(5, 7), Rational(13, 11), Rational(4, 9), Rational(17, 10), Rational(3, 8))


def _derivations(module: Any) -> list[Derivation]:
    return [part for _, part, *_ in getattr(module, "parts", tuple)()] + [module.derive()]


def _values(expressions: list[Any], positive: tuple[Any, ...]) -> dict[Any, Any]:
    """Numbers for the symbols at which every condition holds."""
    symbols = sorted(set().union(*(e.free_symbols for e in expressions)), key=lambda s: s.name)
    for shift, scale in itertools.product(range(len(POINTS)), (1, Rational(1, 4), 3)):
        values = {s: scale * POINTS[(k + shift) % len(POINTS)] for k, s in enumerate(symbols)}
        if all(condition.subs(values) > 0 for condition in positive):
            return values
    raise AssertionError(f"no admissible point for {positive}")


@pytest.mark.parametrize("name", names())
def test_value_is_the_claim(name):
    module = result(name)
    found = agreement(module.CLAIM, module.derive().value)
    assert found.holds is module.CLAIM.holds, found.text
    for each in getattr(module, "ALSO", ()):
        found = agreement(each.claim, each.value)
        assert found.holds is each.claim.holds, (each.claim.says, found.text)
    wrong = [c for c in (module.CLAIM, *(a.claim for a in getattr(module, "ALSO", ()))) if not c.holds]
    assert not wrong or getattr(module, "ERRATA", ()), "a claim that does not hold needs its erratum"


@pytest.mark.parametrize("name", names())
def test_both_sides_of_every_step_agree(name):
    for derivation in _derivations(result(name)):
        for step in derivation.steps:
            if step.before.is_Relational:
                continue  # an equation and what follows from it: the next test
            values = _values([step.before, step.after], step.positive)
            left, right = number(step.before, values), number(step.after, values)
            assert close(left, right, 1e-18), (step.rule, left, right)


@pytest.mark.parametrize("name", names())
def test_the_last_line_solves_every_equation_before_it(name):
    for derivation in _derivations(result(name)):
        equations = [s for s in derivation.steps if s.before.is_Relational]
        if not equations:
            continue
        solved = equations[-1].after
        sides = [side for step in equations for e in (step.before, step.after) for side in (e.lhs, e.rhs)]
        others = set().union(*(side.free_symbols for side in sides)) - solved.lhs.free_symbols
        values = _values(list(others), ())
        values |= {solved.lhs: solved.rhs.subs(values)}
        for step in equations:
            for side in (step.before, step.after):
                left, right = (number(part, values) for part in (side.lhs, side.rhs))
                assert close(left, right, 1e-18), step.rule


@pytest.mark.parametrize("name", names())
def test_numbers_are_the_reference_values(name):
    for each in getattr(result(name), "numbers", tuple)():
        found = true_number(each.value)
        assert found.ball.rel_accuracy_bits() > 40 or found.ball == 0, each.what
        if each.reference:
            record = next(r for r in REFERENCE if r["id"] == each.reference)
            digits = arb(record["value"])
            assert abs(found.ball - digits) < 1e-13 * abs(digits), (each.what, found.value, record["value"])


@pytest.mark.parametrize("name", names())
def test_says_what_it_is(name):
    module = result(name)
    assert isinstance(module.PAPER, Paper) and module.PAPER.read in READ
    assert module.__doc__ and len(module.__doc__) > 200
    for derivation in _derivations(module):
        assert derivation.value is not None
        for step in derivation.steps:
            assert step.rule not in ("simplify", "integrate") and len(step.reason) > 10
    for each in getattr(module, "ERRATA", ()):
        assert each.read in READ and len(each.proof) > 20


@pytest.mark.parametrize("name", names())
def test_page_beside_the_file_is_current(name):
    path = next(p for p in pages_of(name))
    assert path.read_text(encoding="utf-8") == markdown(name), "run: python -m derivations --write"


def pages_of(name):
    from derivations import FOLDER

    return [FOLDER / f"{name}.md"]


def test_collected_pages_are_current_and_none_is_left_over():
    from derivations import FOLDER

    assert (FOLDER / "ERRATA.md").read_text(encoding="utf-8") == errata()
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == index()
    assert {p.name for p in FOLDER.glob("*.md")} == {f"{n}.md" for n in names()} | {"ERRATA.md", "README.md"}
    assert pages.__doc__


def test_command(capsys):
    assert main([]) == 0 and main(["kumar_2017_relu"]) == 0
    assert "claim holds" in capsys.readouterr().out
    assert main(["kumar_2018"]) == 2


def test_one_page_alone_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("derivations.__main__.FOLDER", tmp_path)
    assert main(["--write", "kumar_2017_relu"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["kumar_2017_relu.md"]


def test_integrals_over_two_variables_are_evaluated_by_the_checker():
    c, body = Rational(1, 3), Symbol("y_1", real=True) * Symbol("y_2", real=True)
    pair = sorted(body.free_symbols, key=str)
    law = ((2, sqrt(2) * c), (sqrt(2) * c, 1))

    def mean(f):
        return number(GaussianIntegral(f, pair, (0, 0), law), {})

    with mpmath.workdps(30):
        third = mpmath.mpf(1) / 3
        assert close(mean(body), mpmath.sqrt(2) * third, 1e-20)
        assert close(mean(body**2), 2 * (1 + 2 * third**2), 1e-20)
        quadrant = mpmath.mpf(1) / 4 + mpmath.asin(third) / (2 * mpmath.pi)
        assert close(mean(Heaviside(pair[0]) * Heaviside(pair[1])), quadrant, 1e-20)
        assert close(mean(Heaviside(pair[1])), mpmath.mpf(1) / 2, 1e-20)


def test_the_law_of_two_variables_is_said_once():
    text = markdown("cho_saul_2009_relu")
    assert text.count("jointly normal") == 1
    assert "mathcal{N}(\\left" not in text


def test_a_step_that_rewrites_nothing_is_refused():
    with pytest.raises(ValueError, match="does not occur"):
        chain(Rational(1, 2), then("wrong", Rational(1, 3), Rational(1, 4), "a third is nowhere to be seen"))


@pytest.mark.parametrize(
    ("printed", "holds"), [("1.41", True), ("1.42", False), ("1.414", True), ("1.4", True), ("1.5", False)]
)
def test_printed_digits_are_judged_to_the_last(printed, holds):
    assert agreement(Claim("", "", printed), sqrt(2)).holds is holds


def test_a_wrong_claim_is_seen():
    from sympy import pi

    assert not agreement(Claim("", "", pi), Rational(22, 7)).holds
    assert agreement(Claim("", "", pi**2 / pi), pi).holds
