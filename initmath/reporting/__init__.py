"""The one-page report: derivation, criteria, depth, spectrum, verification, and calls to paste."""
