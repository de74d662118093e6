"""Measurements: what the documentation says in numbers was measured here."""
