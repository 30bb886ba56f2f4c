"""The criteria against the reference table: Kumar's exact points, Taylor, suprema, the edge of chaos."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from flint import arb, ctx
from sympy import Rational

from initmath.activation import resolve
from initmath.criteria import solve

RECORDS = json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
DIGITS = 30


@cache
def solved(name, act, conditions=()):
    return solve(name, resolve(act), digits=DIGITS, **dict(conditions))


def agree(ball, text, digits=25):
    """Whether a certified ball agrees with printed digits, one unit in the last compared place allowed."""
    before = ctx.prec
    ctx.prec = 300
    try:
        value = arb(text)
        return bool(abs(ball - value).upper() <= abs(value) * arb(10) ** -digits + arb(10) ** -(digits + 10))
    finally:
        ctx.prec = before


EXACT = [r for r in RECORDS if r["id"].startswith("kumar.exact.") and r["kind"] == "number"]
FIELDS = {"u^2": "q", "N v^2": "sigma_w2", "chi_1": "chi_1", "dV/dq": "chi_parallel"}


@pytest.mark.parametrize("record", [r for r in EXACT if r["quantity"] in FIELDS], ids=lambda r: r["id"])
def test_variance_solutions(record):
    result = solved("variance", record["activation"])
    assert result.complete, result.reason
    (solution,) = result.solutions
    assert agree(getattr(solution, FIELDS[record["quantity"]]).ball, record["value"])


TAYLOR = [r for r in RECORDS if r["id"].startswith("kumar.eq12.") and r["quantity"] == "N v^2"]


@pytest.mark.parametrize("record", TAYLOR, ids=lambda r: r["id"])
def test_taylor(record):
    (solution,) = solved("taylor", record["activation"]).solutions
    assert agree(solution.sigma_w2.ball, record["value"])


BOUNDED = [r for r in RECORDS if r["id"].startswith("kumar.varbound.") and arb(r["value"]) <= 1]


@pytest.mark.parametrize("record", BOUNDED, ids=lambda r: r["id"])
def test_no_solution_and_its_supremum(record):
    result = solved("variance", record["activation"])
    assert not result.solutions
    assert result.complete
    assert result.reason.startswith("no solution")
    assert result.attainable is not None
    # The table bounds the variance by the range; the supremum is at most that (sin, cos: 1/2).
    assert result.attainable[1].ball.lower() <= arb(record["value"])


EDGE_Q = [
    r
    for r in RECORDS
    if r["id"].startswith("eoc.")
    and r["id"].split(".")[-1] in ("sw2", "sb2")
    and (r.get("params") or "").startswith("q=")
]


@pytest.mark.parametrize("record", EDGE_Q, ids=lambda r: r["id"])
def test_edge_of_chaos_at_q(record):
    at = record["params"].removeprefix("q=")
    result = solved("critical", record["activation"], (("q", at),))
    if record["quantity"] == "sigma_b^2" and record["value"].startswith("-"):
        assert not result.solutions
        assert "< 0" in result.reason
        return
    if not result.solutions:
        assert "< 0" in result.reason
        return
    (solution,) = result.solutions
    number = solution.sigma_w2 if record["quantity"] == "sigma_w^2" else solution.sigma_b2
    assert agree(number.ball, record["value"], digits=20)


EDGE_B = [
    r
    for r in RECORDS
    if r["id"].startswith("eoc.")
    and (r.get("params") or "").startswith("sigma_b^2=")
    and r["quantity"] in ("sigma_w", "q*")
]


@pytest.mark.parametrize("record", EDGE_B, ids=lambda r: r["id"])
def test_edge_of_chaos_at_bias(record):
    bias = Rational(record["params"].removeprefix("sigma_b^2="))
    result = solved("critical", record["activation"], (("sigma_b2", bias),))
    assert result.solutions, result.reason
    number = "q" if record["quantity"] == "q*" else "gain"
    assert any(agree(getattr(s, number).ball, record["value"], digits=20) for s in result.solutions)
