"""The report in a real browser: on a phone, on a desk and in print, and for those who do not see it.

axe-core is read from the file that INITMATH_AXE names (``npm pack axe-core``); nothing is fetched here.
"""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import pytest

import initmath
from initmath.display.html import to_html
from initmath.reporting.page import STYLE
from initmath.reporting.printing import browser

AXE = os.environ.get("INITMATH_AXE")
ACTIVATIONS = [
    "relu",
    *(pytest.param(a, marks=pytest.mark.slow) for a in ("gelu", "silu", "tanh", "mish", "selu")),
    *(pytest.param(a, marks=pytest.mark.slow) for a in ("x*tanh(exp(x))", "sin(x)+x")),
]
PHONE, DESKTOP, PAPER = 390, 1280, 718  # CSS pixels; the last is A4 less its margins

pytestmark = pytest.mark.skipif(browser() is None, reason="no Chromium on this machine")

# Whether a box lies inside the nearest one that scrolls by itself, else inside the page; half a pixel is
# rounding.
MEASURE = """
(() => {
  const root = document.documentElement, found = {width: root.scrollWidth, room: root.clientWidth};
  const outside = [];
  for (const math of document.querySelectorAll("math")) {
    const box = math.getBoundingClientRect(), around = math.closest(".scroll") || root;
    const edge = around.getBoundingClientRect();
    const reach = [edge.left, edge.top, edge.left + around.scrollWidth, edge.top + around.scrollHeight];
    if (!(box.width > 0 && box.height > 0) || box.left < reach[0] - .5 || box.top < reach[1] - .5 ||
        box.right > reach[2] + .5 || box.bottom > reach[3] + .5) outside.push(math.outerHTML.slice(0, 200));
  }
  const cut = [...document.querySelectorAll(".scroll")].filter(
    e => e.scrollHeight > e.clientHeight + 1).map(e => e.textContent.slice(0, 80));
  const code = [...document.querySelectorAll("pre")].filter(
    e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent.slice(0, 80));
  const pictures = [...document.querySelectorAll("figure svg")].map(e => {
    const box = e.getBoundingClientRect();
    return [box.left, box.width, box.height, e.querySelectorAll("path, use").length];
  });
  return {...found, outside, cut, code, pictures, formulas: document.querySelectorAll("math").length,
          failed: performance.getEntriesByType("resource").length};
})()
"""


def _driver():
    spec = importlib.util.spec_from_file_location("chromium", Path(__file__).with_name("chromium.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    opened = _driver().Page(browser(), str(tmp_path_factory.mktemp("profile")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("reports"), {}

    def report(act):
        if act not in made:
            made[act] = folder / f"{len(made)}.html"
            made[act].write_text(initmath.report(act).to_html(), encoding="utf-8")
        return made[act]

    return report


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize(
    ("width", "media"),
    [(PHONE, "screen"), (DESKTOP, "screen"), (PAPER, "print")],
    ids=["phone", "desktop", "print"],
)
def test_nothing_overflows_and_everything_is_seen(page, reports, act, width, media):
    page.show(reports(act), width, media=media)
    seen = page.run(MEASURE)
    assert page.run("innerWidth") == width
    assert seen["width"] <= seen["room"], "the page scrolls sideways"
    assert seen["formulas"] > 20
    assert not seen["outside"] and not seen["cut"] and not seen["code"]
    assert len(seen["pictures"]) == 4
    for left, wide, high, drawn in seen["pictures"]:
        assert left >= 0 and wide > 250 and high > 100 and left + wide <= width and drawn > 20
    assert seen["failed"] == 0, "something was fetched"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "params"),
    [
        *((act, None) for act in ("softplus", "elu", "gcu", "squareplus", "erf", "sigmoid", "hardswish")),
        *((act, None) for act in ("penalized_tanh", "snake", "pwl5", "xielu", "soft_modulus_q", "phish")),
        ("prelu", {"p": "0.123456789012345678901234567890"}),
        ("swish_beta", {"beta": "355/113"}),
        ("cubic", None),
    ],
)
def test_derivations_fit_on_paper(page, tmp_path, act, params):
    blocks = initmath.derive(act, params=params).with_steps().blocks()
    made = tmp_path / "page.html"
    style = f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style>'
    made.write_text(f'<!DOCTYPE html><meta charset="utf-8">{style}{to_html(blocks)}', encoding="utf-8")
    page.show(made, PAPER, media="print")
    seen = page.run(MEASURE)
    assert seen["width"] <= seen["room"] and not seen["outside"] and not seen["cut"]
    assert page.run("document.querySelectorAll('.terms').length") > 10


def test_the_measure_sees_what_it_should(page, tmp_path):
    bad = tmp_path / "bad.html"
    style = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    wide = "<math><mi>" + "x" * 300 + "</mi></math>"
    bad.write_text(
        f'<!DOCTYPE html>{style}<div style="width:600px">a</div>'
        f'<div class="scroll" style="overflow:hidden;width:50px;height:3px">{wide}</div>'
        '<figure><svg width="0"/></figure>'
    )
    page.show(bad, PHONE)
    seen = page.run(MEASURE)
    assert seen["width"] > PHONE and seen["cut"] and seen["pictures"][0][3] == 0


@pytest.mark.skipif(AXE is None, reason="INITMATH_AXE does not name axe-core's axe.min.js")
@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("width", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_axe_finds_no_barrier(page, reports, act, width):
    page.show(reports(act), width)
    page.run(Path(AXE).read_text(encoding="utf-8") + "; 0")
    found = json.loads(page.run("axe.run().then(r => JSON.stringify([r.violations, r.passes.length]))"))
    barriers = [(each["id"], each["nodes"][0]["html"][:200]) for each in found[0]]
    assert not barriers and found[1] > 15


@pytest.mark.skipif(AXE is None, reason="INITMATH_AXE does not name axe-core's axe.min.js")
def test_axe_finds_a_barrier_where_there_is_one(page, tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!DOCTYPE html><html><body style='background:#fff'><img src=''><p style='color:#eee'>pale words</p>"
    )
    page.show(bad, DESKTOP)
    page.run(Path(AXE).read_text(encoding="utf-8") + "; 0")
    found = page.run("axe.run().then(r => r.violations.map(v => v.id))")
    assert {"html-has-lang", "image-alt", "color-contrast"} <= set(found)
