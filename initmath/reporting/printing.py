"""A page as PDF, printed by a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from initmath.errors import InputError

__all__ = ["BROWSERS", "browser", "flags", "to_pdf"]

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
SECONDS = 120


def browser() -> str | None:
    """Return the Chromium on this machine, or None; ``INITMATH_CHROMIUM`` names another."""
    named = os.environ.get("INITMATH_CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, BROWSERS)), None)


def flags(profile: str) -> list[str]:
    """Options for a Chromium that shows no window, keeps nothing and asks nobody."""
    return [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        f"--user-data-dir={profile}",
    ]


def to_pdf(page: str, path: Path) -> None:
    """Print an HTML page.

    Raises
    ------
    InputError
        If there is no Chromium, or it does not print.
    """
    found = browser()
    if found is None:
        raise InputError(
            f"{path}: a PDF is printed by Chromium, and none was found ({', '.join(BROWSERS)}); install one, "
            "name it in INITMATH_CHROMIUM, or write .html and print that"
        )
    with tempfile.TemporaryDirectory(prefix="initmath-") as folder:
        source, made = Path(folder) / "report.html", Path(folder) / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [found, *flags(str(Path(folder) / "profile")), "--no-pdf-header-footer"]
        command += [f"--print-to-pdf={made}", source.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"{path}: {Path(found).name} did not print the page: {error}") from None
        if not made.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise InputError(
                f"{path}: {Path(found).name} did not print the page: {said[-1] if said else '?'}"
            )
        shutil.copyfile(made, path)
