"""Data files and frames as named columns of numbers or text; what is fitted is made from these, nothing silently."""

from steepest.tables.dataset import Dataset, prepare
from steepest.tables.reading import read_table
from steepest.tables.table import Column, Table

__all__ = ["Column", "Dataset", "Table", "prepare", "read_table"]
