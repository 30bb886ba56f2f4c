"""``python -m derivations [NAME…] [--write]``: print derivations, or write their Markdown pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from derivations import FOLDER, names, result
from derivations.literate import READ, Erratum, page

UNREAD = (
    "Where the text was not read the claim is quoted from memory, or as others quote it: the derivation "
    "and its numbers "
    "stand on their own, but that the paper says just this is not confirmed."
)
HEADER = "<!-- Written by: python -m derivations --write -->\n"


def markdown(name: str) -> str:
    """Return the page of one result."""
    from initmath.display.markdown import to_markdown

    return HEADER + to_markdown(page(result(name)))


def errata() -> str:
    """Return the page of everything published that does not hold, over all results."""
    from initmath.display.document import Facts, Heading, Paragraph
    from initmath.display.markdown import to_markdown

    intro = "What was published and does not hold, with the proof; collected from the derivations."
    text = HEADER + to_markdown([Heading("Errata", 1), Paragraph(intro)])
    for name in names():
        found: tuple[Erratum, ...] = tuple(getattr(result(name), "ERRATA", ()))
        for each in found:
            rows = [("published", each.published), ("right", each.right), ("proof", each.proof)]
            if READ[each.read].startswith("no"):
                rows.append(("read", READ[each.read]))
            text += "\n" + to_markdown([Heading(each.where), Facts(tuple(rows))])
            text += f"- **derivation**: [{name}]({name}.md)\n"
    return text


def index() -> str:
    """Return the list of all results."""
    import inspect

    lines = [HEADER, "# Derivations\n", "| result | paper | claim | text read |", "|---|---|---|---|"]
    for name in names():
        module = result(name)
        title = (inspect.getdoc(module) or name).splitlines()[0].rstrip(".")
        holds = module.CLAIM.verdict or ("holds" if module.CLAIM.holds else "does not hold")
        paper = module.PAPER
        lines.append(
            f"| [{title}]({name}.md) | {paper.authors} {paper.year} | {holds} | "
            f"{READ[paper.read].split(',')[0]} |"
        )
    lines.append(f"\n{UNREAD}\n\nWhat does not hold is collected in [ERRATA.md](ERRATA.md).\n")
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Return every generated file and what belongs in it."""
    found = {FOLDER / f"{name}.md": markdown(name) for name in names()}
    return found | {FOLDER / "ERRATA.md": errata(), FOLDER / "README.md": index()}


def main(arguments: list[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m derivations", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="results to print; none: list them all")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write the Markdown pages; without names all of them and the lists",
    )
    asked = parser.parse_args(arguments)
    unknown = [name for name in asked.names if name not in names()]
    if unknown:
        print(f"no derivation {unknown[0]!r}: choose among {', '.join(names())}", file=sys.stderr)
        return 2
    if asked.write:
        some = {FOLDER / f"{name}.md": markdown(name) for name in asked.names}
        for path, text in (some or pages()).items():
            path.write_text(text, encoding="utf-8")
        return 0
    from initmath.display.terminal import to_text

    if not asked.names:
        print("\n".join(names()))
    for name in asked.names:
        print(to_text(page(result(name)), 100))
    return 0


if __name__ == "__main__":
    sys.exit(main())
