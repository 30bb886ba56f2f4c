"""The report: one file that needs no network and no script, in every format, or refused early."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape
from html.parser import HTMLParser

import pytest
from click.testing import CliRunner

import initmath
from initmath.cli import cli
from initmath.errors import InputError
from initmath.reporting.calls import calls
from initmath.reporting.printing import browser, to_pdf

LARGEST = 1_000_000  # bytes
VOID = {"meta", "br", "img", "input", "hr", "link"}


@pytest.fixture(scope="module")
def relu():
    return initmath.report("relu")


class _Balance(HTMLParser):
    """Check that elements close in order, and collect ids and links."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.targets, self.tags = [], [], [], set()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.add(tag)
        self.ids += [found["id"]] if "id" in found else []
        link = found.get("href") or found.get("xlink:href")
        self.targets += [link] if link else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html_is_one_self_contained_file(relu):
    page = relu.to_html()
    read = _Balance()
    read.feed(page)
    assert not read.open
    assert len(set(read.ids)) == len(read.ids), "an id twice"
    assert len(page.encode()) < LARGEST
    assert {"math", "svg", "main", "nav", "table", "figure"} <= read.tags and "script" not in read.tags
    # Links lead to places of this page; pixels inside a picture travel with it.
    assert all(t.startswith(("#", "data:image/png")) for t in read.targets)
    assert all(t[1:] in read.ids for t in read.targets if t.startswith("#"))
    assert not re.search(r'(?:src|href)="https?:', page)
    for picture in re.findall(r"<svg.*?</svg>", page, flags=re.S):
        head = picture[: picture.index(">")]
        assert 'role="img"' in head and "aria-label=" in head and "viewBox" in head
        ET.fromstring(picture)


def test_everything_is_on_the_page(relu):
    page = relu.to_html()
    titles = [section.title for section in relu.sections]
    assert titles[:2] == ["What the weights should start with", "At a glance"]
    for part in (
        "Derivation, step by step",
        "In depth: mean field",
        "The Jacobian's singular values",
        "Tested against simulated networks",
    ):
        assert part in titles and escape(part) in page
    assert "CONFIRMED" in page and "torch.nn.init" in page and "variance_scaling(2.0" in page
    assert "keras.initializers" in page
    assert sum(section.picture is not None for section in relu.sections) >= 3
    assert all(section.alt for section in relu.sections if section.picture is not None)


def test_other_formats(relu, tmp_path):
    relu.save(tmp_path / "relu.md")
    relu.save(tmp_path / "relu.tex")
    markdown, latex = (tmp_path / "relu.md").read_text(), (tmp_path / "relu.tex").read_text()
    assert markdown.startswith("# ") and "```python" in markdown and "$" in markdown
    assert latex.startswith(r"\documentclass") and latex.rstrip().endswith(r"\end{document}")
    assert latex.count(r"\begin{") == latex.count(r"\end{")


def test_an_activation_without_a_phase_diagram_says_so():
    page = initmath.report("sign").to_html()
    assert "No phase diagram" in page or "Not possible here" in page


def test_calls_hold_the_number_and_the_bias():
    (_, torch), (_, jax), (_, keras) = calls(1.5, 0.25)
    assert "1.5 / layer.in_features" in torch and "std=0.5" in torch
    assert "variance_scaling(1.5" in jax and "normal(0.5)" in jax
    assert "scale=1.5" in keras and "stddev=0.5" in keras


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["relu"], "-o"),
        (["relu", "-o", "relu.doc"], ".html"),
        (["relu", "-o", "no/such/folder/relu.html"], "no directory"),
        (["rleu", "-o", "x.html"], "relu"),
        (["relu", "-o", "x.html", "--q", "0"], "q"),
        (["elu", "--param", "alpha=symbol", "-o", "x.html"], "value"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["report", *arguments])
    assert isinstance(done.exception, InputError) and says in str(done.exception)
    assert "\n" not in str(done.exception) and not list(tmp_path.iterdir())


def test_a_pdf_without_a_browser_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("INITMATH_CHROMIUM", "no-such-browser")
    with pytest.raises(InputError, match="Chromium"):
        to_pdf("<p>x</p>", tmp_path / "x.pdf")


@pytest.mark.skipif(browser() is None, reason="no Chromium on this machine")
def test_a_real_browser_prints_it(relu, tmp_path):
    relu.save(tmp_path / "relu.pdf")
    assert (tmp_path / "relu.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "relu.pdf").stat().st_size > 20_000


@pytest.mark.slow
@pytest.mark.parametrize("act", ["gelu", "silu", "tanh", "mish", "x*tanh(exp(x))", "selu"])
def test_reports_of_others(act):
    page = initmath.report(act).to_html()
    read = _Balance()
    read.feed(page)
    assert not read.open and len(page.encode()) < LARGEST and "Not possible here" not in page
