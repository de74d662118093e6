"""Compiled twins of reference functions; the only room that imports numba.

Each kernel names the reference it must equal, and a contract test holds it to that.
Import the kernel module you need when you need it: importing numba takes a third of a second.
"""
