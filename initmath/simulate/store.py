"""Summaries of the finished networks, in memory and in a file that a later run resumes from."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import zipfile
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np

from initmath.errors import InputError
from initmath.simulate.experiment import Experiment
from initmath.simulate.frame import Array
from initmath.simulate.record import shapes

__all__ = ["Store"]

_KIND = "initmath simulation "
_FORMAT = _KIND + "2"  # counts up when other arrays are kept, or the same seed gives other numbers
_EVERY = 2.0  # seconds between two savings


class Store:
    """The arrays of an experiment, filled range by range.

    Attributes
    ----------
    arrays : dict of str to ndarray
    done : ndarray of bool, shape (R,)
    """

    def __init__(self, experiment: Experiment, path: str | os.PathLike[str] | None) -> None:
        self.experiment = experiment
        if path is not None and not os.fspath(path):
            raise InputError("the resume file has no name")
        self.path = None if path is None else Path(path)
        wanted = shapes(experiment, experiment.networks) | {"seconds": (experiment.networks, 2)}
        self.arrays: dict[str, Array] = {name: np.zeros(shape) for name, shape in wanted.items()}
        self.done = np.zeros(experiment.networks, bool)
        self.saved_at = monotonic()
        self.saved = 0
        if self.path is not None:
            if self.path.exists():
                self._load(self.path)
            else:
                self._try_folder(self.path)

    @property
    def count(self) -> int:
        """How many networks are finished."""
        return int(np.count_nonzero(self.done))

    def put(self, first: int, last: int, found: dict[str, Array]) -> None:
        """Keep the networks first … last − 1, and save now and then."""
        for name, value in found.items():
            self.arrays[name][first:last] = value
        self.done[first:last] = True
        if monotonic() - self.saved_at > _EVERY:
            self.save()

    def save(self) -> None:
        """Write the file anew beside the old one and put it in its place in one step."""
        if self.path is None or self.saved == self.count:
            return
        try:
            self._replace(self.path)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"the resume file {self.path} cannot be written: {reason}") from None
        self.saved, self.saved_at = self.count, monotonic()

    def _replace(self, path: Path) -> None:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                kept: dict[str, Any] = {f"array_{k}": v[self.done] for k, v in self.arrays.items()}
                np.savez(file, format=_FORMAT, experiment=self.experiment.describe(), done=self.done, **kept)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _try_folder(self, path: Path) -> None:
        if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
            raise InputError(f"the resume file {path} cannot be written: no such folder, or no permission")

    def _load(self, path: Path) -> None:
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                if not isinstance(file, np.lib.npyio.NpzFile):
                    raise ValueError
                _check_version(path, str(file["format"]))
                described = str(file["experiment"])
                self._compare(path, described)
                done = file["done"]
                if done.shape != self.done.shape or done.dtype != bool:
                    raise ValueError
                for name, array in self.arrays.items():
                    kept = file[f"array_{name}"]
                    if kept.shape != (np.count_nonzero(done), *array.shape[1:]) or kept.dtype != array.dtype:
                        raise ValueError
                    array[done] = kept
        except InputError:
            raise
        except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile):
            raise InputError(
                f"the resume file {path} is corrupt or not a simulation's; it was left as it is: "
                "give another path, or remove it to start anew"
            ) from None
        self.done[:] = done
        self.saved = self.count

    def _compare(self, path: Path, described: str) -> None:
        if described == self.experiment.describe():
            return
        theirs, ours = json.loads(described), json.loads(self.experiment.describe())
        for name, value in ours.items():
            if theirs.get(name) != value:
                raise InputError(
                    f"the resume file {path} belongs to another experiment and was left as it is: "
                    f"{name} {_short(theirs.get(name))}, not {_short(value)}"
                )
        raise ValueError


def _check_version(path: Path, written: str) -> None:
    if not written.startswith(_KIND):
        raise ValueError
    if written != _FORMAT:
        raise InputError(
            f"the resume file {path} was written by another version and was left as it is: "
            "give another path, or remove it to start anew"
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
