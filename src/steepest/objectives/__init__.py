"""Objectives: what is minimised. An objective knows no solver."""
