"""Compiled convolution: register tiles, and what is built of them."""
