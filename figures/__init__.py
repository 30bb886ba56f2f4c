"""The papers' figures, drawn again from the theory and from simulation: one file a figure.

``python -m figures [NAME…] [--quick] [--out DIR]`` writes each as .svg and .png, with its caption beside
it.  A file has ``data(quick)``, pure and seeded; ``draw(data)``; ``caption(data)``, with the numbers in
it; and ``check(data)``, which asserts what the caption says.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

__all__ = ["FOLDER", "figure", "names"]

FOLDER = Path(__file__).parent
NOT_FIGURES = {"__init__", "__main__", "second_route", "sheet"}


def names() -> tuple[str, ...]:
    """List the figures, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_FIGURES))


def figure(name: str) -> ModuleType:
    """Import one figure."""
    return import_module(f"figures.{name}")
