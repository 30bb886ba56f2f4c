"""What to pass to a sampler, the named schemes, and the published tables against the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flint import arb
from sympy import Rational, sqrt

from initmath.activation import resolve
from initmath.criteria import solve
from initmath.errors import InputError
from initmath.initializers import (
    PUBLISHED,
    SCHEMES,
    TRUNCATED_RATIO,
    published_for,
    scheme,
    spreads,
    true_value,
)
from initmath.sampling import truncated_std_ratio

RECORDS = {
    r["id"]: r for r in json.loads((Path(__file__).parent.parent / "data" / "reference.json").read_text())
}


def test_the_truncation_constant():
    assert str(TRUNCATED_RATIO.evalf(25)).startswith("0.879625661034239750")
    assert float(TRUNCATED_RATIO) == pytest.approx(truncated_std_ratio(), rel=1e-15)


def test_he_at_512():
    he = solve("second_moment", resolve("relu")).solutions[0]
    normal, truncated, uniform, orthogonal, torch, jax = spreads(he, 512)
    assert normal.number.closed_form == Rational(1, 16)
    assert float(truncated.number) == pytest.approx(0.0625 / 0.87962566103423978, rel=1e-14)
    assert uniform.number.closed_form == sqrt(3) / 16
    assert orthogonal.number.closed_form == torch.number.closed_form == sqrt(2)
    assert jax.number.closed_form == 2


@pytest.mark.parametrize("bad", [0, -3, 2.5, True])
def test_fan_in_must_be_a_count(bad):
    with pytest.raises(InputError, match="fan_in"):
        spreads(solve("second_moment", resolve("relu")).solutions[0], bad)


def test_schemes_match_the_reference():
    assert scheme("kaiming") is scheme("he")
    assert float(scheme("glorot").half_width(300, 100)) == pytest.approx(
        float(RECORDS["init.glorot_uniform"]["value"])
    )
    assert float(scheme("he").half_width(256)) == pytest.approx(float(RECORDS["init.he_uniform"]["value"]))
    assert scheme("torch_linear_default").sigma_w2(77) == Rational(1, 3)
    assert len({s.name for s in SCHEMES}) == len(SCHEMES)
    with pytest.raises(InputError, match="choose one of"):
        scheme("best")


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda e: f"{e.framework}.{e.activation}.{e.quantity}")
def test_published_numbers_are_near_the_truth_and_named(entry):
    truth = true_value(entry)
    assert entry.source
    assert float(entry.exact()) == pytest.approx(float(truth), rel=0.5) or entry.framework in (
        "torch",
        "stylegan3",
    )
    same = [
        r["value"]
        for r in RECORDS.values()
        if r["id"].startswith("pub.")
        and r.get("activation") == entry.activation
        and r["quantity"] == entry.quantity
    ]
    assert abs(truth.ball - arb(same[0])) < 1e-14


def test_tables_cover_torch():
    assert {p.activation for p in PUBLISHED if p.framework == "torch"} >= {
        "relu",
        "leaky_relu",
        "tanh",
        "selu",
        "sigmoid",
    }
    assert published_for("unheard_of") == ()
