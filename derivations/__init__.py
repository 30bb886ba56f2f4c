"""Results of papers, derived again: one file a result, each an argument that runs.

``python -m derivations`` lists them, ``python -m derivations NAME`` prints one, ``--write`` writes the
Markdown pages that stand beside the files.  A file says what the paper claims (`CLAIM`, typed by hand),
derives it (`derive`), and the tests compare.  Where a paper is wrong, the file says so (`ERRATA`).
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

__all__ = ["FOLDER", "names", "result"]

FOLDER = Path(__file__).parent
NOT_RESULTS = {"__init__", "__main__", "literate", "orbits"}


def names() -> tuple[str, ...]:
    """List the results, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_RESULTS))


def result(name: str) -> ModuleType:
    """Import one result."""
    return import_module(f"derivations.{name}")
